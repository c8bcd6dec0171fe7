import type { Handler } from '@millrace/event/handler';

/** A function that takes events, and how it is. */
export interface RunningFunction {
  /** Event in, answer out; begins an instance when it needs one. Rejects with a `HandlerFailure` only. */
  readonly handler: Handler;
  status(): FunctionStatus;
  /** Takes nothing more, finishes what it has, then ends its instances. Idempotent. */
  drain(): Promise<void>;
}

/** How a function is. */
export interface FunctionStatus {
  /** Instances that are there, also those that begin or end. */
  readonly instances: number;
  /** Calls that an instance has. */
  readonly inFlight: number;
  /** `idle`: at zero, waiting for a call. `failing`: it crashed or could not start, and nothing serves now. */
  readonly state: 'idle' | 'starting' | 'running' | 'failing';
  /** Why it is failing, with the last lines that it wrote; empty otherwise. */
  readonly message: string;
}
