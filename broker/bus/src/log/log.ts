import type { CloudEvent } from '@millrace/event/event';
import type { Headers } from '@millrace/event/handler';

import type { Position } from './position.ts';
import type { Settlement } from './progress.ts';

export type { Position } from './position.ts';

/** An event as it goes into the log, with what the bus must know of its travel. */
export interface Draft {
  readonly topic: string;
  readonly event: CloudEvent;
  /** When it came, in milliseconds since 1970. */
  readonly arrivedAt: number;
  /** How many deliveries lie behind it: 0 for what came from outside, one more for each reply. */
  readonly hops: number;
  /** The entry and the route that this is the reply of. */
  readonly cause?: Cause | undefined;
  /** Headers that travel with it (trace context and Knative's own). */
  readonly headers?: Headers | undefined;
  /** Whether it is to be found by the id of its event, see {@link History.find}. Default: no. */
  readonly findable?: boolean | undefined;
}

export interface Cause {
  readonly position: Position;
  readonly route: string;
}

/** A draft that is durable. */
export interface Entry extends Draft {
  readonly position: Position;
}

/**
 * The spine. Kafka is the measure of what it may ask: append to a topic, read forward from a position; nothing
 * rewrites or removes a single entry.
 */
export interface Log {
  /**
   * Resolves, with the entries in the order of the drafts, when all of them are durable; rejects when none is.
   * With a settlement, that is durable together with them: a reply is never there without what became of the delivery
   * that brought it, nor the other way round.
   * Rejects with a {@link LogFull} when there is no space, and with a {@link LogBroken} for ever after a failed sync.
   */
  append(drafts: readonly Draft[], settlement?: Settlement): Promise<readonly Entry[]>;
  /**
   * The next entries of a topic after a position, at most `limit` and at least one: waits until there is one.
   * Resolves with none when the signal aborts.
   */
  read(topic: string, after: Position, limit: number, signal: AbortSignal): Promise<readonly Entry[]>;
  /** One entry, or undefined when retention has removed it. */
  get(position: Position): Entry | undefined;
  /** The position of the newest durable entry of a topic; 0 when there is none. */
  end(topic: string): Position;
  /** The topics that hold an entry, in no order; also those that nothing declares any more. */
  topics(): readonly string[];
}

/** There was no space. Nothing of the batch is in the log; the same batch may be offered again later. */
export class LogFull extends Error {
  override readonly name = 'LogFull';
  /** Insufficient Storage. */
  readonly status = 507;
}

/** A write or sync failed. What is on disk is unknown until the next start, so the log takes nothing more. */
export class LogBroken extends Error {
  override readonly name = 'LogBroken';
  readonly status = 503;
}
