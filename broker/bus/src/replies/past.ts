import type { Attempt, History } from '../log/history.ts';
import type { Entry, Position } from '../log/log.ts';
import type { Outcome } from '../log/progress.ts';

/** What has happened to an entry. */
export interface Past {
  /** How the last attempt of each route ended that has made one. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** The routes that will make another. */
  readonly retrying: ReadonlySet<string>;
  /** Why the first that has failed for good did so; undefined when none has. */
  readonly failure: string | undefined;
  readonly replies: readonly Entry[];
}

/** Of an entry that is told of as it comes. */
export const NO_PAST: Past = { outcomes: new Map(), retrying: new Set(), failure: undefined, replies: [] };

/** Reads what has happened to an entry. */
export function pastOf(position: Position, history: Pick<History, 'attempts' | 'replies' | 'waitingFor'>): Past {
  // Replies last: one that comes meanwhile is of a route of which no end is known yet, and not the other way round.
  const attempts = history.attempts(position);
  const waiting = history.waitingFor(position);
  const replies = history.replies(position);
  const outcomes = new Map(attempts.map((it) => [it.route, it.outcome]));
  const retrying = new Set(waiting.map((it) => it.route));
  let failed: string | undefined;
  for (const [route, outcome] of outcomes) {
    if (outcome === 'retrying') retrying.add(route);
    else if (isFailure(outcome) && !retrying.has(route)) failed ??= route;
  }
  return { outcomes, retrying, failure: failed && reasonOf(failed, attempts), replies };
}

/** Whether a delivery that has ended so has failed for good. One that was called off was not wanted any more. */
export function isFailure(outcome: Outcome): boolean {
  return outcome === 'deadLettered' || outcome === 'parked';
}

/** Why the subscriber failed, not what the dead letter sink made of it. */
export function reasonOf(route: string, attempts: readonly Attempt[]): string {
  const failed = attempts.findLast((it) => it.route === route && it.stage === 'subscriber' && it.failure !== undefined);
  return `${route}: ${failed?.failure?.message ?? 'failed for good'}`;
}
