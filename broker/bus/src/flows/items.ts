import { HandlerFailure } from '@millrace/event/handler';
import type { CloudEvent } from '@millrace/event/event';
import { makeEvent } from '@millrace/event/event';

import type { Entry } from '../log/log.ts';

/** A Map takes no longer lists: what came of all items stands in one event in the end. */
export const MOST_ITEMS = 10_000;

/**
 * The list that a path leads to in the data of an event. Throws a `HandlerFailure` (422: the same event fails again) for
 * data that is no JSON, a path that leads nowhere or to something else, and a list that is too long.
 */
export function itemsOf({ data }: CloudEvent, path: readonly (string | number)[]): readonly unknown[] {
  const shown = showPath(path);
  if (data === undefined) throw unusable(`the event has no data, so there is no list at ${shown}`);
  let at: unknown;
  try {
    at = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
  } catch {
    throw unusable(`the data of the event is not JSON, so there is no list at ${shown}`);
  }
  for (const step of path) {
    const isThere = typeof at === 'object' && at !== null && Object.hasOwn(at, step);
    at = isThere ? (at as Record<string | number, unknown>)[step] : undefined;
  }
  if (!Array.isArray(at))
    throw unusable(`expected a list at ${shown}, got ${at === undefined ? 'nothing' : typeof at}`);
  if (at.length > MOST_ITEMS)
    throw unusable(`the list at ${shown} has ${at.length} items; a Map takes at most ${MOST_ITEMS}`);
  return at;
}

/** The event that an item becomes: of the type, subject and extensions of the one that it came with. */
export function itemEvent({ event }: Entry, flow: string, index: number, item: unknown): CloudEvent {
  const { type, subject, time, extensions } = event;
  const attributes = {
    ...extensions,
    specversion: '1.0',
    id: `${event.id}-${index}`,
    source: `/flows/${flow}`,
    type,
    subject,
    time,
    datacontenttype: 'application/json',
  };
  return makeEvent(attributes, Buffer.from(JSON.stringify(item)));
}

function showPath(path: readonly (string | number)[]): string {
  return `$${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')}`;
}

function unusable(message: string): HandlerFailure {
  return new HandlerFailure(message, { status: 422, body: Buffer.from(message) });
}
