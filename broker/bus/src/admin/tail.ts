import type { ServerResponse } from 'node:http';

import { facts } from '../log/facts.ts';
import type { Accepted, Attempted } from '../log/facts.ts';
import { attemptOf, entryOf } from './views.ts';
import type { AttemptView, EntryView } from './views.ts';

/** Only what has these exact values. */
export interface TailQuery {
  readonly topic?: string;
  readonly type?: string;
  readonly source?: string;
  readonly route?: string;
}

/** One line of the stream. */
export type TailLine =
  | { readonly kind: 'event'; readonly event: EntryView }
  | ({
      readonly kind: 'attempt';
      readonly route: string;
      readonly position: number;
      readonly id: string;
      readonly type: string;
    } & AttemptView)
  /** The reader was too slow for so many lines. */
  | { readonly kind: 'skipped'; readonly count: number };

/** A reader that leaves so much unread misses lines: it must not hold up the bus, nor fill its memory. */
const MOST_UNREAD = 1024 * 1024;

/** Writes what happens from now on, a JSON object a line, until the reader goes. */
export function tail(response: ServerResponse, query: TailQuery): void {
  let skipped = 0;
  const write = (line: TailLine) => {
    if (response.writableLength > MOST_UNREAD) {
      skipped += 1;
      return;
    }
    if (skipped > 0) response.write(`${JSON.stringify({ kind: 'skipped', count: skipped } satisfies TailLine)}\n`);
    skipped = 0;
    response.write(`${JSON.stringify(line)}\n`);
  };
  const onAccepted = (told: unknown) => {
    if (query.route !== undefined) return;
    for (const entry of (told as Accepted).entries) {
      if (isWanted(query, entry)) write({ kind: 'event', event: entryOf(entry) });
    }
  };
  const onAttempted = (told: unknown) => {
    const { entry, settlement } = told as Attempted;
    if (!isWanted(query, entry) || (query.route !== undefined && query.route !== settlement.route)) return;
    const { id, type } = entry.event;
    const { route, position } = settlement;
    write({ kind: 'attempt', route, position, id, type, ...attemptOf(settlement) });
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  facts.accepted.subscribe(onAccepted);
  facts.attempted.subscribe(onAttempted);
  response.once('close', () => {
    facts.accepted.unsubscribe(onAccepted);
    facts.attempted.unsubscribe(onAttempted);
  });
}

function isWanted(query: TailQuery, { topic, event }: Accepted['entries'][number]): boolean {
  return (
    (query.topic === undefined || query.topic === topic) &&
    (query.type === undefined || query.type === event.type) &&
    (query.source === undefined || query.source === event.source)
  );
}
