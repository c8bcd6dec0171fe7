import type { Handler } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';
import type { Outlet, RunningSource, SourceStatus } from '@millrace/event/source';

import type { Feed, Workload } from '../plan/plan.ts';

/** Runs declared functions. Where their code is, and on what they run, is its business alone. */
export interface FunctionHost {
  /** Makes a function callable; what stands against that, its status tells. Nothing is begun before the first call. */
  start(workload: Workload): RunningFunction;
}

/** A declared function, whatever becomes of its revisions and instances. */
export interface RunningFunction extends Called {
  /** It is declared otherwise now. What it has, it finishes as it was; what comes, once the new revision is ready, is its. */
  change(workload: Workload): void;
  status(): FunctionStatus;
  /** Takes nothing more, finishes what it has, then stops its instances. Idempotent. */
  drain(): Promise<void>;
}

/** What can be asked of a function. */
export interface Called {
  /** Event in, answer out. Rejects with a `HandlerFailure` only. */
  readonly handler: Handler;
  /**
   * One HTTP exchange, streamed; it lasts until the answer's body has ended or is destroyed. `tag` asks for the revision
   * that `spec.traffic` gives this tag. Rejects with a `HandlerFailure` only.
   */
  request(call: WebCall, options?: { readonly tag?: string | undefined }): Promise<WebAnswer>;
  /** How many more calls it would take now or as soon as it has scaled; Infinity without a limit. */
  room(): number;
  /** Calls after a call has ended: there may be room again. The returned function ends that. */
  onRoom(listener: () => void): () => void;
  /** A call is about to come: it may get ready. */
  warm(): void;
}

export interface FunctionStatus {
  readonly instances: number;
  readonly inFlight: number;
  /** Calls that wait for an instance. */
  readonly waiting: number;
  /** `unavailable`: it cannot be run at all, such as without its code. */
  readonly state: 'idle' | 'starting' | 'running' | 'failing' | 'unavailable';
  /** One CamelCase word when something is wrong; empty otherwise. */
  readonly reason: string;
  readonly message: string;
  /** What cannot be kept of what is declared. */
  readonly notes: readonly string[];
}

/** Starts declared sources. */
export type SourceHost = (feed: Feed, outlet: Outlet, report: (status: SourceStatus) => void) => RunningSource;
