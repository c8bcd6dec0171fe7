import type { Handler } from '@millrace/event/handler';
import type { Outlet, RunningSource, SourceStatus } from '@millrace/event/source';

import type { Feed, Workload } from '../plan/plan.ts';

/** Runs declared functions. Where their code is, and on what they run, is its business alone. */
export interface FunctionHost {
  /** Makes a function callable, or says why it can't be. Nothing is begun before the first call. */
  start(workload: Workload): RunningFunction | FunctionTrouble;
}

export interface RunningFunction {
  readonly handler: Handler;
  status(): FunctionStatus;
  /** Finishes what it has, then stops its instances. Idempotent. */
  drain(): Promise<void>;
}

export interface FunctionStatus {
  readonly instances: number;
  readonly inFlight: number;
  readonly state: 'idle' | 'starting' | 'running' | 'failing';
  readonly message: string;
}

export interface FunctionTrouble {
  readonly reason: string;
  readonly message: string;
}

/** Starts declared sources. */
export type SourceHost = (feed: Feed, outlet: Outlet, report: (status: SourceStatus) => void) => RunningSource;
