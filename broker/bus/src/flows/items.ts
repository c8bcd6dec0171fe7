import { HandlerFailure } from '@millrace/event/handler';
import type { CloudEvent } from '@millrace/event/event';
import { makeEvent } from '@millrace/event/event';

import { elements, elementTexts, members } from '@millrace/event/json-scan';

import type { Entry } from '../log/log.ts';

/** A Map takes no longer lists: what came of all items stands in one event in the end. */
export const MOST_ITEMS = 10_000;

/**
 * The list that a path leads to in the data of an event, each item as the text that it came in: a number keeps all its
 * digits. Throws a `HandlerFailure` (422: the same event fails again) for data that is no JSON, a path that leads nowhere
 * or to something else, and a list that is too long.
 */
export function itemsOf({ data }: CloudEvent, path: readonly (string | number)[]): readonly string[] {
  const shown = showPath(path);
  if (data === undefined) throw unusable(`the event has no data, so there is no list at ${shown}`);
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  try {
    JSON.parse(text);
  } catch {
    throw unusable(`the data of the event is not JSON, so there is no list at ${shown}`);
  }
  let at: number | undefined = 0;
  for (const step of path) at = at === undefined ? undefined : placeOf(text, at, step);
  const kind = at === undefined ? 'nothing' : kindAt(text, at);
  if (at === undefined || kind !== 'a list') throw unusable(`expected a list at ${shown}, got ${kind}`);
  const items = elementTexts(text, at);
  if (items.length > MOST_ITEMS)
    throw unusable(`the list at ${shown} has ${items.length} items; a Map takes at most ${MOST_ITEMS}`);
  return items;
}

/** What an item takes in memory beside its bytes, about. */
const REST_OF_AN_ITEM = 128;
const LEAST_HELD = 64 * 1024;
const LEAST_PART = 1 / 16;

/**
 * The items of a list, asked for one after the other: a part of them is held, and the event is read again for the next.
 * So a Map that is open for long holds a sixteenth of its list (or 64 KiB), and reads it some twenty times at most.
 */
export class Items {
  /** How many there are. */
  readonly length: number;
  readonly #read: () => readonly string[];
  #from = 0;
  #held: readonly Buffer[] = [];

  /** `read` gives all items as {@link itemsOf} does; what it throws is thrown here, and wherever they are read again. */
  constructor(read: () => readonly string[]) {
    this.#read = read;
    this.length = this.#hold(0);
  }

  /** The text of an item, in UTF-8. */
  at(index: number): Uint8Array {
    if (index < this.#from || index >= this.#from + this.#held.length) this.#hold(index);
    return this.#held[index - this.#from]!;
  }

  #hold(from: number): number {
    const texts = this.#read();
    const sizes = texts.map((it) => it.length + REST_OF_AN_ITEM);
    const most = Math.max(LEAST_HELD, sizes.reduce((sum, it) => sum + it, 0) * LEAST_PART);
    let until = from;
    for (let held = 0; until < texts.length && held < most; until += 1) held += sizes[until]!;
    this.#from = from;
    // As bytes: a piece of a text would hold the whole text.
    this.#held = texts.slice(from, until).map((it) => Buffer.from(it));
    return texts.length;
  }
}

/** Where a member or an element begins; undefined where there is none. */
function placeOf(text: string, at: number, step: string | number): number | undefined {
  const kind = kindAt(text, at);
  if (typeof step === 'number') return kind === 'a list' ? elements(text, at)[step] : undefined;
  return kind === 'an object' ? members(text, at).findLast((it) => it.name === step)?.start : undefined;
}

function kindAt(text: string, at: number): string {
  const first = text.slice(at).trimStart()[0];
  if (first === '[') return 'a list';
  if (first === '{') return 'an object';
  return first === '"' ? 'a text' : 'a number, a boolean or null';
}

/** The event that an item becomes: of the type, subject and extensions of the one that it came with. */
export function itemEvent({ event }: Entry, flow: string, index: number, item: Uint8Array): CloudEvent {
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
  return makeEvent(attributes, item);
}

function showPath(path: readonly (string | number)[]): string {
  return `$${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')}`;
}

function unusable(message: string): HandlerFailure {
  return new HandlerFailure(message, { status: 422, body: Buffer.from(message) });
}
