import { isJsonMediaType } from '@millrace/event/attributes';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';

import type { Position } from '../log/log.ts';
import type { End } from './strands.ts';

/** What came of one branch or item. */
export type PartOutcome =
  /** Where its answer stands: many may be open for a long time, and what they have so far is not held in memory. */
  | { readonly outcome: 'succeeded'; readonly position: Position }
  /** It was taken, and there was no answer. */
  | { readonly outcome: 'empty' }
  | { readonly outcome: 'failed' | 'late' | 'cancelled'; readonly reason: string }
  /** Its filter did not let the event pass. */
  | { readonly outcome: 'skipped' };

/** The route of a branch's filter: `parallel/<namespace>/<name>/<branch>/filter`. */
const FILTER_ROUTE = /^parallel(?:\/[^/]+){3}\/filter$/;

/** What the end of a strand means for the part that it is. */
export function outcomeOf(end: End): PartOutcome {
  switch (end.outcome) {
    case 'replied':
      return { outcome: 'succeeded', position: end.entry.position };
    case 'silent':
      return FILTER_ROUTE.test(end.route) ? { outcome: 'skipped' } : { outcome: 'empty' };
    case 'passed':
      return { outcome: 'skipped' };
    case 'failed':
      return { outcome: 'failed', reason: `${end.route}: ${end.reason}` };
  }
}

/** What the list of outcomes is made with. */
export interface Telling {
  /** The event at a position; undefined when it is not there any more. */
  readonly eventAt: (position: Position) => CloudEvent | undefined;
  /** The longest list, in bytes. */
  readonly maxBytes: number;
}

/**
 * The list of what came of the parts, as bytes of JSON: `[{"branch": …, "outcome": …, "data": …}]`. Data that is JSON
 * stands as it came; text as text; other bytes as `data_base64`, with their `datacontenttype`. Answers are read one
 * after the other. Throws a `HandlerFailure` (413) as soon as the list is longer than it may be.
 */
export function encodeOutcomes(
  as: 'branch' | 'item',
  parts: readonly (readonly [string | number, PartOutcome])[],
  { eventAt, maxBytes }: Telling,
): Buffer {
  const pieces: Buffer[] = [];
  let length = 1;
  for (const [index, [name, outcome]] of parts.entries()) {
    const head = `${index === 0 ? '[' : ','}{${JSON.stringify(as)}:${JSON.stringify(name)},`;
    const piece = Buffer.from(`${head}${told(outcome, eventAt)}}`);
    length += piece.byteLength;
    if (length > maxBytes) throw tooLong(maxBytes);
    pieces.push(piece);
  }
  pieces.push(Buffer.from(parts.length === 0 ? '[]' : ']'));
  return Buffer.concat(pieces);
}

function told(part: PartOutcome, eventAt: Telling['eventAt']): string {
  if (part.outcome === 'succeeded') {
    const event = eventAt(part.position);
    if (event !== undefined) return `"outcome":"succeeded"${dataOf(event)}`;
    return told({ outcome: 'failed', reason: 'its answer is not stored any more' }, eventAt);
  }
  const outcome = `"outcome":"${part.outcome}"`;
  return 'reason' in part ? `${outcome},"reason":${JSON.stringify(part.reason)}` : outcome;
}

function tooLong(maxBytes: number): HandlerFailure {
  const message = `what came of all parts is longer than ${maxBytes} bytes; no event may be (--max-event-bytes)`;
  return new HandlerFailure(message, { status: 413, body: Buffer.from(message) });
}

function dataOf({ data, datacontenttype }: CloudEvent): string {
  if (data === undefined) return '';
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (datacontenttype === undefined || isJsonMediaType(datacontenttype)) {
    const text = bytes.toString();
    if (isJson(text)) return `,"data":${text}`;
  }
  const type = datacontenttype === undefined ? '' : `,"datacontenttype":${JSON.stringify(datacontenttype)}`;
  if (/^text\//i.test(datacontenttype ?? '')) return `${type},"data":${JSON.stringify(bytes.toString())}`;
  return `${type},"data_base64":"${bytes.toString('base64')}"`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
