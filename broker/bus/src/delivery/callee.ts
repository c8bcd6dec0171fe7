import type { Handler } from '@millrace/event/handler';

/** A function, as far as deliveries know it: what it takes, and how much of it. */
export interface Callee {
  readonly handler: Handler;
  /** How many more calls it would take now or as soon as it has scaled; Infinity without a limit. */
  room(): number;
  /** Calls after a call has ended: there may be room again. The returned function ends that. */
  onRoom(listener: () => void): () => void;
  /** A call is about to come: it may get ready. */
  warm(): void;
}
