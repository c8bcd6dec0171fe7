import type { Handler } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';

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

/** A function that takes HTTP requests as they are, too. */
export interface WebCallee extends Callee {
  /** One exchange, streamed; it lasts until the answer's body has ended or is destroyed. Rejects with a `HandlerFailure`. */
  request(call: WebCall, options?: { readonly tag?: string | undefined }): Promise<WebAnswer>;
}
