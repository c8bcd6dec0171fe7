import type { Entry, Position } from './log.ts';
import type { Failure, Outcome, Stage, Waiting } from './progress.ts';

/** Questions about the past. Answers may lag behind the log by what is being written at the moment. */
export interface History {
  /** Entries, the newest first. */
  entries(query: EntryQuery): readonly Entry[];
  /**
   * Entries of a topic, the newest first, without the data of their events: for who looks at many. With `before`, only
   * those at lower positions.
   */
  skim(topic: string, query: { readonly before?: Position | undefined; readonly limit: number }): readonly Entry[];
  /**
   * The time of arrival, in milliseconds since 1970, of the first entry of a topic from which on all are there; undefined
   * when retention has taken nothing yet, or has left nothing.
   */
  completeSince(topic: string): number | undefined;
  /** The newest entry that was made findable with this id of its event; undefined when there is none (any more). */
  find(id: string): Entry | undefined;
  /** Everything that was tried for an entry, in order. */
  attempts(position: Position): readonly Attempt[];
  /** The replies to an entry, in order. */
  replies(position: Position): readonly Entry[];
  /** The deliveries of an entry that wait for another attempt. */
  waitingFor(position: Position): readonly Waiting[];
  /** How much there is: entries in all, deliveries waiting, dead letters; per route where it makes sense. */
  counts(): Counts;
}

export interface EntryQuery {
  readonly limit: number;
  readonly topic?: string | undefined;
  readonly before?: Position | undefined;
  /** Exact values of `id`, `type` and `source`. */
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  /** Only what is no reply of anything here. Default: all. */
  readonly roots?: boolean | undefined;
}

export interface Attempt {
  readonly route: string;
  readonly attempt: number;
  readonly stage: Stage;
  readonly outcome: Outcome;
  readonly startedAt: number;
  readonly duration: number;
  readonly status: number | undefined;
  readonly failure: Failure | undefined;
}

export interface Counts {
  readonly entries: number;
  readonly waiting: Readonly<Record<string, number>>;
  readonly deadLetters: Readonly<Record<string, number>>;
}

/**
 * What failed for good and had nowhere to go rests here, per route, until somebody redrives or purges it.
 */
export interface DeadLetters {
  /** The newest first. */
  list(query: DeadLetterQuery): readonly DeadLetter[];
  /**
   * Makes the route take these up again, with all its attempts before it, at once. The dead letters are gone when the
   * waiting deliveries are there: both or none. Resolves with how many there were.
   */
  redrive(selected: readonly DeadLetterKey[], dueAt: number): Promise<number>;
  /** Forgets these. Resolves with how many there were. */
  purge(selected: readonly DeadLetterKey[]): Promise<number>;
}

export interface DeadLetterKey {
  readonly route: string;
  readonly position: Position;
}

export interface DeadLetterQuery {
  readonly limit: number;
  readonly route?: string | undefined;
  readonly position?: Position | undefined;
  /** At or before this time, in milliseconds since 1970. */
  readonly diedBy?: number | undefined;
}

export interface DeadLetter extends DeadLetterKey {
  readonly entry: Entry;
  readonly diedAt: number;
  /** How many attempts were made. */
  readonly attempts: number;
  readonly failure: Failure;
}
