import type { Position } from './position.ts';

/**
 * How far each route has come, and what it must come back to. All of it is small state under a key,
 * so that it fits a compacted Kafka topic as well as a table.
 */
export interface Progress {
  /** What is known of a route; undefined for a route that the log has never seen. */
  load(route: string): RouteProgress | undefined;
  /** Resolves when the outcomes are durable. Rejects as {@link Log.append} does. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** Saves positions. Resolves when durable. */
  save(positions: readonly SavedPosition[]): Promise<void>;
  /**
   * Puts a route that the log knows back to a position: what it has finished beyond that is to be done anew, and its
   * attempts there are forgotten. What waits for an attempt and what is a dead letter stays so. For a route that is not at
   * work. Resolves when durable; until then, and after a crash before that, the route stands where it stood.
   */
  rewind(route: string, position: Position): Promise<void>;
  /**
   * Keeps how a route was last defined, as a text of its owner's; undefined forgets it. Resolves when durable. The same
   * text again costs nothing.
   */
  define(route: string, definition: string | undefined): Promise<void>;
  /** What is kept of routes, by name. */
  definitions(): ReadonlyMap<string, string>;
  /** Deliveries of a route that wait for their next attempt, the earliest first. */
  waiting(route: string, limit: number): readonly Waiting[];
  /** The one delivery of a route and an entry that waits; undefined when it does not. */
  waitingAt(route: string, position: Position): Waiting | undefined;
}

export interface RouteProgress {
  /** Everything up to here has been finished, or is remembered one by one as waiting or dead. */
  readonly position: Position;
  /** What lies beyond the position and is finished all the same. */
  readonly finished: ReadonlySet<Position>;
}

/** Where a route stands. */
export interface SavedPosition {
  readonly route: string;
  readonly position: Position;
}

/** What became of one attempt. */
export type Outcome =
  /** The subscriber took it. */
  | 'delivered'
  /** It failed, and there will be another attempt. */
  | 'retrying'
  /** It failed for good, and the dead letter sink took it. */
  | 'deadLettered'
  /** It failed for good, and rests among the dead letters of its route. */
  | 'parked'
  /** Somebody called it off. */
  | 'cancelled';

/** Which target the attempt was for. */
export type Stage = 'subscriber' | 'deadLetterSink';

/** Why an attempt failed. */
export interface Failure {
  /** The address that failed. */
  readonly destination: string;
  /** The status of the response; undefined without one. */
  readonly status?: number | undefined;
  /** For people. */
  readonly message: string;
  /** The beginning of the response's body, in base64 (at most 1024 characters). */
  readonly data?: string | undefined;
}

/** One attempt and its outcome. */
export interface Settlement {
  readonly route: string;
  readonly position: Position;
  /** From 1; counts on through both stages and through redrives. */
  readonly attempt: number;
  readonly stage: Stage;
  readonly outcome: Outcome;
  readonly startedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  /** The status of the response; undefined without one. */
  readonly status?: number | undefined;
  /** Why this attempt failed. */
  readonly failure?: Failure | undefined;
  /** Why the subscriber failed: what a dead letter tells. Differs from `failure` where the dead letter sink failed too. */
  readonly root?: Failure | undefined;
  /** With `retrying`: when the next attempt is due, and what it is for. */
  readonly next?: Next | undefined;
  /** Whether this attempt came from the waiting deliveries, which it then leaves. */
  readonly waited: boolean;
}

export interface Next {
  readonly dueAt: number;
  readonly stage: Stage;
  /** How many attempts of this stage have been made: the k of the next wait. */
  readonly tries: number;
}

/** A delivery that waits for its next attempt. */
export interface Waiting {
  readonly route: string;
  readonly position: Position;
  /** The number of the attempt to come. */
  readonly attempt: number;
  readonly dueAt: number;
  readonly stage: Stage;
  readonly tries: number;
  /** Why the subscriber failed; undefined after a redrive. */
  readonly failure: Failure | undefined;
}
