import type { Headers } from '@millrace/event/handler';

/**
 * W3C Trace Context (`traceparent`): `00-<trace id, 32 hex>-<span id, 16 hex>-<flags, 2 hex>`.
 * Every delivery is a span of its own, so each attempt goes out under a new span id of the same trace.
 */

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

/** The same headers under a new span of the trace; unchanged when there is no trace. */
export function nextSpan(headers: Headers | undefined, random: () => number): Headers | undefined {
  const parent = headers?.['traceparent'];
  if (parent === undefined) return headers;
  const parts = TRACEPARENT.exec(parent);
  if (parts === null) return headers;
  return { ...headers, traceparent: `00-${parts[1]}-${hex(16, random)}-${parts[3]}` };
}

/**
 * A new trace, sampled. Its first span id is the second half of the trace id: so whoever draws the spans can tell a
 * trace that began here from one that was brought along.
 */
export function newTraceparent(random: () => number): string {
  const half = hex(16, random);
  return `00-${hex(16, random)}${half}-${half}-01`;
}

function hex(digits: number, random: () => number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  // All zeros is no id (§3.2.2.3).
  return /^0+$/.test(text) ? text.replace(/0$/, '1') : text;
}
