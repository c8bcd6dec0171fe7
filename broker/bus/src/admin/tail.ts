import type { ServerResponse } from 'node:http';

import { facts } from '../log/facts.ts';
import type { Accepted, Attempted } from '../log/facts.ts';
import { openLines } from './line-stream.ts';
import type { Skipped } from './line-stream.ts';
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
  | Skipped;

/** Writes what happens from now on, a JSON object a line, until the reader goes. */
export function tail(response: ServerResponse, query: TailQuery): void {
  const { write } = openLines(response);
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
