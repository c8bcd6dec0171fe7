import type { AttemptView, DeliveryView, EntrySummary } from './views.ts';

/**
 * How runs look over the admin port. A run is an entry that is no reply of anything here, with everything that followed
 * from it. Times are RFC 3339, durations milliseconds.
 */

/**
 * `failed`: something in it rests among the dead letters, or went to a dead letter sink. `waiting`: nothing has failed,
 * and a retry is due later. `running`: something is under way, or its turn has not come.
 */
export type RunStatus = 'running' | 'waiting' | 'succeeded' | 'failed';

/** A run in a list, by the entry that it began with. */
export interface RunSummary extends Omit<EntrySummary, 'cause' | 'hops'> {
  /** The flow that it entered, `sequence/<namespace>/<name>`; where that was none, the topic. */
  readonly flow: string;
  readonly status: RunStatus;
  readonly entries: number;
  /** What routes have taken, or will. */
  readonly deliveries: number;
  readonly attempts: number;
  /** From its arrival to the end of the last attempt; to now, while it is not over. */
  readonly duration: number;
  /** What its events say that models have cost; absent when none says so. */
  readonly usage?: RunUsage | undefined;
  /** True where it is larger than what was looked at: numbers are the least, and the status may be another. */
  readonly truncated?: true | undefined;
}

/** What models cost in a run. */
export interface RunUsage {
  /** How many events say something of it. */
  readonly events: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars, of those that say it; absent when none does. */
  readonly costUsd?: number | undefined;
  /** True where an event with tokens does not say what they cost. */
  readonly isLeast?: true | undefined;
}

/** A page of runs, the newest first. */
export interface RunList {
  readonly runs: readonly RunSummary[];
  /** The value of `before` with which older ones are found; absent at the end. */
  readonly next?: number | undefined;
}

/** A run as a whole. */
export interface RunView extends RunSummary {
  readonly root: RunEntry;
}

/** What one event says that a model has cost. */
export interface EntryUsage {
  readonly model: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd?: number | undefined;
}

/** An entry of a run, and who got it. */
export interface RunEntry extends EntrySummary {
  /** The flow that this is what came out of. */
  readonly outcomeOf?: string | undefined;
  readonly usage?: EntryUsage | undefined;
  readonly deliveries: readonly RunDelivery[];
}

/** What one route made of an entry, and what came of that. */
export interface RunDelivery extends DeliveryView {
  /** The part of a flow that the route is. */
  readonly step?: { readonly flow: string; readonly name: string } | undefined;
  readonly attempts: readonly AttemptView[];
  readonly replies: readonly RunEntry[];
}
