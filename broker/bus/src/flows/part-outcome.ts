import type { CloudEvent } from '@millrace/event/event';
import { isJsonMediaType } from '@millrace/event/attributes';

import type { End } from './strands.ts';

/** What came of one branch or item. */
export type PartOutcome =
  | { readonly outcome: 'succeeded'; readonly event: CloudEvent }
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
      return { outcome: 'succeeded', event: end.entry.event };
    case 'silent':
      return FILTER_ROUTE.test(end.route) ? { outcome: 'skipped' } : { outcome: 'empty' };
    case 'passed':
      return { outcome: 'skipped' };
    case 'failed':
      return { outcome: 'failed', reason: `${end.route}: ${end.reason}` };
  }
}

/**
 * The list of what came of the parts, as bytes of JSON: `[{"branch": …, "outcome": …, "data": …}]`. Data that is JSON
 * stands as it came; text as text; other bytes as `data_base64`, with their `datacontenttype`.
 */
export function encodeOutcomes(
  as: 'branch' | 'item',
  parts: readonly (readonly [string | number, PartOutcome])[],
): Buffer {
  const items = parts.map(([name, outcome]) => {
    const head = `{${JSON.stringify(as)}:${JSON.stringify(name)},"outcome":"${outcome.outcome}"`;
    if (outcome.outcome === 'succeeded') return `${head}${dataOf(outcome.event)}}`;
    return 'reason' in outcome ? `${head},"reason":${JSON.stringify(outcome.reason)}}` : `${head}}`;
  });
  return Buffer.from(`[${items.join(',')}]`);
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
