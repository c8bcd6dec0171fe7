import { attributesOf } from '@millrace/event/json';

import type { Attempt, DeadLetter } from '../log/history.ts';
import type { Entry } from '../log/log.ts';
import { withoutPrivate } from '../log/private-headers.ts';
import type { Settlement, Waiting } from '../log/progress.ts';

/** How things look over the admin port. Times are RFC 3339, durations milliseconds. */

/** An entry in a list. */
export interface EntrySummary {
  readonly position: number;
  readonly topic: string;
  readonly arrivedAt: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject?: string | undefined;
  readonly hops: number;
  /** The entry and the route that it is a reply of. */
  readonly cause?: { readonly position: number; readonly route: string } | undefined;
  /** Of its data, in bytes. */
  readonly size: number;
}

/** An entry as a whole. Text data as `data`, other bytes as `data_base64`; both cut at 64 KiB. */
export interface EntryView extends EntrySummary {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly data?: string | undefined;
  readonly data_base64?: string | undefined;
  readonly truncated?: boolean | undefined;
}

/** What one route makes of an entry. */
export interface DeliveryView {
  readonly route: string;
  /** Whether the filter, as it is now, lets the entry pass. */
  readonly matched: boolean;
  /** Why, or why not. */
  readonly reason: string;
  /** `pending`: it is its turn later, or now. `none`: the filter does not let it pass. */
  readonly state: 'none' | 'pending' | 'delivered' | 'waiting' | 'deadLettered' | 'dead' | 'cancelled';
  readonly attempts: readonly AttemptView[];
  readonly next?: { readonly attempt: number; readonly dueAt: string; readonly stage: string } | undefined;
}

export interface AttemptView {
  readonly attempt: number;
  readonly stage: string;
  readonly outcome: string;
  readonly startedAt: string;
  readonly duration: number;
  readonly status?: number | undefined;
  readonly destination?: string | undefined;
  readonly message?: string | undefined;
}

export interface EventDetail extends EntryView {
  readonly deliveries: readonly DeliveryView[];
  readonly replies: readonly EntrySummary[];
}

export interface DeadLetterView extends EntryView {
  readonly route: string;
  readonly diedAt: string;
  readonly attempts: number;
  readonly failure: {
    readonly destination: string;
    readonly status?: number | undefined;
    readonly message: string;
    readonly body?: string | undefined;
  };
}

const MOST_DATA = 64 * 1024;

export function summaryOf(entry: Entry): EntrySummary {
  const { position, topic, arrivedAt, event, hops, cause } = entry;
  const { id, type, source, subject } = event;
  return {
    position,
    topic,
    arrivedAt: timeOf(arrivedAt),
    id,
    type,
    source,
    subject,
    hops,
    cause,
    size: event.data?.byteLength ?? 0,
  };
}

export function entryOf(entry: Entry): EntryView {
  return {
    ...summaryOf(entry),
    attributes: attributesOf(entry.event),
    headers: withoutPrivate(entry.headers),
    ...dataOf(entry),
  };
}

export function attemptOf(made: Attempt | Settlement): AttemptView {
  const { attempt, stage, outcome, duration, status, failure } = made;
  const startedAt = timeOf(made.startedAt);
  return {
    attempt,
    stage,
    outcome,
    startedAt,
    duration,
    status,
    destination: failure?.destination,
    message: failure?.message,
  };
}

export function deadLetterOf(letter: DeadLetter): DeadLetterView {
  const { destination, status, message, data } = letter.failure;
  const body = data === undefined ? undefined : Buffer.from(data, 'base64').toString();
  return {
    ...entryOf(letter.entry),
    route: letter.route,
    diedAt: timeOf(letter.diedAt),
    attempts: letter.attempts,
    failure: { destination, status, message, body },
  };
}

/** What has become of an entry on one route. */
export function deliveryOf(
  verdict: { route: string; matched: boolean; reason: string },
  past: { attempts: readonly Attempt[]; waiting: readonly Waiting[]; isDead: boolean },
): DeliveryView {
  const attempts = past.attempts.filter((it) => it.route === verdict.route);
  const waiting = past.waiting.find((it) => it.route === verdict.route);
  const last = attempts.at(-1);
  const next =
    waiting === undefined
      ? undefined
      : { attempt: waiting.attempt, dueAt: timeOf(waiting.dueAt), stage: waiting.stage };
  return { ...verdict, state: stateOf(), attempts: attempts.map(attemptOf), next };

  function stateOf(): DeliveryView['state'] {
    if (waiting !== undefined) return 'waiting';
    if (past.isDead) return 'dead';
    if (last?.outcome === 'delivered' || last?.outcome === 'cancelled') return last.outcome;
    // Parked and no longer there: somebody purged it.
    if (last?.outcome === 'deadLettered' || last?.outcome === 'parked') return 'deadLettered';
    return verdict.matched ? 'pending' : 'none';
  }
}

function dataOf({ event }: Entry): Pick<EntryView, 'data' | 'data_base64' | 'truncated'> {
  if (event.data === undefined) return {};
  const truncated = event.data.byteLength > MOST_DATA ? true : undefined;
  const bytes = Buffer.from(event.data.subarray(0, MOST_DATA));
  const text = bytes.toString();
  // A cut may fall into a character; apart from that, what does not survive the way there and back is no text.
  const isText = truncated === true ? !text.slice(0, -4).includes('\uFFFD') : Buffer.from(text).equals(bytes);
  return isText ? { data: text, truncated } : { data_base64: bytes.toString('base64'), truncated };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
