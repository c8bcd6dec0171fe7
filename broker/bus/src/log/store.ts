import type { DeadLetters, History } from './history.ts';
import type { Log, Position } from './log.ts';
import type { Progress } from './progress.ts';

/** What a bus stands on: the log, and the small state beside it. One adapter provides all of it. */
export interface Store {
  readonly log: Log;
  readonly progress: Progress;
  readonly history: History;
  readonly deadLetters: DeadLetters;
  /** Removes what nobody needs any more. Resolves with how many entries went. */
  trim(retention: Retention): Promise<number>;
  /** Resolves (never rejects) with why the store can take nothing more, the moment that it can't. */
  readonly broken: Promise<Error>;
  /** Writes what is pending, then lets go of everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Entries go, the oldest first, once they are older than `before` or the store is larger than `maxBytes`; but never one
 * that a route has still to pass, that waits for an attempt, or that is a dead letter.
 */
export interface Retention {
  /** Milliseconds since 1970. */
  readonly before: number;
  readonly maxBytes: number;
  /** Per topic, the position that all its routes have passed. */
  readonly passed: ReadonlyMap<string, Position>;
}
