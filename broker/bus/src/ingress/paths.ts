import type { RunningSource } from '@millrace/event/source';

import type { Inlet } from '../plan/plan.ts';

/** What the data port serves, by path. Changed while it runs. */
export interface Paths {
  readonly inlets: Map<string, Inlet>;
  /** Sources that are called, such as webhooks. */
  readonly receivers: Map<string, NonNullable<RunningSource['receive']>>;
}
