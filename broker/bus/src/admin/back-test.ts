import type { Filter } from '../filter/filter.ts';
import type { History } from '../log/history.ts';
import type { Entry } from '../log/log.ts';
import { newestFirst } from './newest-first.ts';

/** What a filter would have made of stored events. */
export interface BackTest {
  readonly topic: string;
  /** Events that were looked at, and how many of them the filter lets pass. */
  readonly events: number;
  readonly matched: number;
  /** Some of those that pass, the newest first. */
  readonly samples: readonly EventSample[];
  /** When the oldest and the newest that were looked at arrived (RFC 3339); undefined without any. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** There were older ones that were asked for, but enough had been looked at. */
  readonly isCut: boolean;
  /** When part of the time that was asked for has been taken by retention: since when all is there (RFC 3339). */
  readonly completeSince?: string | undefined;
  /** Against the filter that is in force; undefined where there is none. */
  readonly difference?: FilterDifference | undefined;
}

/** Events that only one of two filters lets pass. */
export interface FilterDifference {
  readonly route: string;
  /** How many the filter in force lets pass. */
  readonly matched: number;
  /** Only the tested filter. */
  readonly gained: number;
  readonly gainedSamples: readonly EventSample[];
  /** Only the filter in force. */
  readonly lost: number;
  readonly lostSamples: readonly EventSample[];
}

export interface EventSample {
  readonly position: number;
  readonly type: string;
  readonly source: string;
  readonly id: string;
}

export interface BackTestOptions {
  readonly topic: string;
  readonly filter: Filter;
  readonly inForce?: { readonly route: string; readonly filter: Filter } | undefined;
  /** Milliseconds since 1970. Default: everything that is stored. */
  readonly since?: number | undefined;
  /** At most so many of the newest events are looked at. */
  readonly limit: number;
}

const MOST_SAMPLES = 5;

/** Runs a filter over the stored events of a topic, and beside it the one in force. Resolves when all are looked at. */
export async function backTest(
  history: Pick<History, 'skim' | 'completeSince'>,
  { topic, filter, inForce, since = 0, limit }: BackTestOptions,
): Promise<BackTest> {
  const [matched, old, gained, lost] = [new Found(), new Found(), new Found(), new Found()];
  let events = 0;
  let newest: Entry | undefined;
  let oldest: Entry | undefined;
  let isCut = false;
  for await (const entry of newestFirst(history, topic)) {
    if (entry.arrivedAt < since) break;
    if (events === limit) {
      isCut = true;
      break;
    }
    events += 1;
    newest ??= entry;
    oldest = entry;
    const isMatched = filter(entry.event);
    const wasMatched = inForce?.filter(entry.event) ?? false;
    if (isMatched) matched.add(entry);
    if (wasMatched) old.add(entry);
    if (isMatched !== wasMatched) (isMatched ? gained : lost).add(entry);
  }
  const completeSince = isCut ? undefined : history.completeSince(topic);
  return {
    topic,
    events,
    matched: matched.count,
    samples: matched.samples,
    from: oldest && timeOf(oldest.arrivedAt),
    to: newest && timeOf(newest.arrivedAt),
    isCut,
    completeSince: completeSince === undefined || completeSince <= since ? undefined : timeOf(completeSince),
    difference: inForce && {
      route: inForce.route,
      matched: old.count,
      gained: gained.count,
      gainedSamples: gained.samples,
      lost: lost.count,
      lostSamples: lost.samples,
    },
  };
}

class Found {
  readonly samples: EventSample[] = [];
  count = 0;

  add({ position, event: { type, source, id } }: Entry): void {
    this.count += 1;
    if (this.samples.length < MOST_SAMPLES) this.samples.push({ position, type, source, id });
  }
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
