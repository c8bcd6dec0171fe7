import type { Filter } from '../filter/filter.ts';
import type { History } from '../log/history.ts';
import type { Position } from '../log/log.ts';
import type { Store } from '../log/store.ts';
import { newestFirst } from './newest-first.ts';

/** Where a route is to go on: with the first entry at or after a position or a time (milliseconds since 1970). */
export type SeekTo = 'beginning' | 'end' | { readonly position: Position } | { readonly time: number };

/** A move of a route, made or looked at. */
export interface Move {
  readonly route: string;
  readonly topic: string;
  /** Everything up to here it has behind it, before the move and after it. */
  readonly from: Position;
  readonly to: Position;
  /** Entries of the topic between the two, and how many of them the filter lets pass. */
  readonly entries: number;
  readonly matched: number;
  /** How many of those wait for an attempt or are dead letters, and stay so. */
  readonly kept: number;
  /** Deliveries under way: the move waits for them. */
  readonly inFlight: number;
  /** When it goes back before what retention has taken: since when all is there (RFC 3339). */
  readonly completeSince?: string | undefined;
}

/** How a route stands that may be moved. */
export interface Standing {
  readonly topic: string;
  readonly filter: Filter;
  readonly position: Position;
  readonly inFlight: number;
}

/** A place beyond the end of the topic: an event that comes later must not be passed by. */
export class BeyondEnd extends Error {
  override readonly name = 'BeyondEnd';
}

/** What a move would be, counted by the stored entries. Rejects with a {@link BeyondEnd}. */
export async function moveOf(route: string, standing: Standing, seekTo: SeekTo, store: Store): Promise<Move> {
  const { log, history } = store;
  const { topic, filter, position: from, inFlight } = standing;
  const to = positionOf(seekTo, topic, log.end(topic), history);
  const [low, high] = from < to ? [from, to] : [to, from];
  const isKept = keptBy(route, store);
  let entries = 0;
  let matched = 0;
  let kept = 0;
  for await (const { position, event } of newestFirst(history, topic, high + 1)) {
    if (position <= low) break;
    entries += 1;
    if (!filter(event)) continue;
    matched += 1;
    if (isKept(position)) kept += 1;
  }
  const completeSince = to < from ? lostBefore(to, topic, history) : undefined;
  return { route, topic, from, to, entries, matched, kept, inFlight, completeSince };
}

/** Whether an entry waits or is dead on a route. Most routes have nothing that is. */
function keptBy(route: string, { deadLetters, history, progress }: Store): (position: Position) => boolean {
  const { waiting, deadLetters: dead } = history.counts();
  const hasWaiting = waiting[route] !== undefined;
  const hasDead = dead[route] !== undefined;
  return (position) =>
    (hasWaiting && progress.waitingAt(route, position) !== undefined) ||
    (hasDead && deadLetters.list({ limit: 1, route, position }).length > 0);
}

/** The position that a route stands at when it is to go on there: the one before. */
function positionOf(to: SeekTo, topic: string, end: Position, history: Pick<History, 'skim'>): Position {
  if (to === 'beginning') return 0;
  if (to === 'end') return end;
  if ('time' in to) return lastBefore(to.time, topic, end, history);
  if (to.position <= end + 1) return Math.max(0, to.position - 1);
  throw new BeyondEnd(
    `position ${to.position} is beyond the end of ${topic}, which is ${end}: say "end" to pass all by`,
  );
}

/** The last entry that arrived before a time, halving what it may be among: times of arrival grow with positions. */
function lastBefore(time: number, topic: string, end: Position, { skim }: Pick<History, 'skim'>): Position {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const [entry] = skim(topic, { before: middle + 1, limit: 1 });
    // What lies between that entry and the middle is of other topics, or taken.
    if (entry === undefined || entry.arrivedAt < time) low = middle;
    else high = entry.position - 1;
  }
  return low;
}

/** Since when all is there, where something after the position may have been taken. */
function lostBefore(
  position: Position,
  topic: string,
  history: Pick<History, 'skim' | 'completeSince'>,
): string | undefined {
  const complete = history.completeSince(topic);
  const [before] = history.skim(topic, { before: position + 1, limit: 1 });
  // With an older entry at hand, what follows it is complete as soon as that entry is.
  if (complete === undefined || (before !== undefined && before.arrivedAt >= complete)) return undefined;
  return new Date(complete).toISOString();
}
