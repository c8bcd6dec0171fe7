import type { Handler } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';

/** A function that is declared: it takes events and calls, whatever becomes of its instances and revisions. */
export interface RunningFunction {
  /** Event in, answer out; begins an instance when it needs one. Rejects with a `HandlerFailure` only. */
  readonly handler: Handler;
  /**
   * One HTTP exchange with an instance, streamed; it lasts until the answer's body has ended or is destroyed. `tag`
   * asks for the revision that `spec.traffic` gives this tag. Rejects with a `HandlerFailure` only.
   */
  request(call: WebCall, options?: { readonly tag?: string | undefined }): Promise<WebAnswer>;
  /** How many more calls would be taken now or as soon as more instances are there; Infinity without a limit. */
  room(): number;
  /** Calls after a call has ended: there may be room again. The returned function ends that. */
  onRoom(listener: () => void): () => void;
  /** Begins an instance if there is none: a call is about to come. */
  warm(): void;
  status(): FunctionStatus;
  /** Takes nothing more, finishes what it has, then ends its instances. Idempotent. */
  drain(): Promise<void>;
}

/** How a function is, over all its revisions. */
export interface FunctionStatus {
  /** Instances that are there, also those that begin or end. */
  readonly instances: number;
  /** Calls that an instance has. */
  readonly inFlight: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /**
   * `idle`: at zero, waiting for a call. `failing`: it crashed or could not start, and nothing serves now.
   * `unavailable`: it cannot be run at all, such as without its code.
   */
  readonly state: 'idle' | 'starting' | 'running' | 'failing' | 'unavailable';
  /** One CamelCase word when something is wrong, such as `CrashLoop`; empty otherwise. */
  readonly reason: string;
  /** What is wrong, for people, with the last lines that it wrote; empty otherwise. */
  readonly message: string;
  /** What cannot be kept of what is declared, such as a limit of memory. */
  readonly notes: readonly string[];
}
