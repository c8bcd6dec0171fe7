import { headerOf } from '@millrace/event/web';

/** Lines come a little later than the answer to their call: so many events are remembered. */
const REMEMBERED = 1_000;
// W3C Trace Context §3.2.2: version, trace, parent, flags.
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** Which event, and which trace, the lines of an instance belong to. */
export interface Attribution {
  /** A call has come, about this event; `isAlone` when the instance has no other now. */
  called(eventId: string | undefined, rawHeaders: readonly string[], isAlone: boolean): void;
  /** A line as it was written, taken apart. */
  of(line: string): { readonly text: string; readonly eventId?: string; readonly traceId?: string };
}

/**
 * A line of the author's logger names its event. Any other belongs to the call that the instance had last without
 * another beside it, since late output belongs to that one; to none when there are several.
 */
export function makeAttribution(): Attribution {
  const traces = new Map<string, string>();
  let lastAlone: string | undefined;
  return {
    called(eventId, rawHeaders, isAlone) {
      lastAlone = isAlone ? eventId : undefined;
      if (eventId === undefined) return;
      const traceId = TRACEPARENT.exec(headerOf(rawHeaders, 'traceparent') ?? '')?.[1];
      if (traceId === undefined) return;
      traces.set(eventId, traceId);
      if (traces.size > REMEMBERED) traces.delete(traces.keys().next().value!);
    },
    of(line) {
      const [eventId, text] = markOf(line) ?? [lastAlone, line];
      if (eventId === undefined) return { text };
      const traceId = traces.get(eventId);
      return traceId === undefined ? { text, eventId } : { text, eventId, traceId };
    },
  };
}

/** The mark stands between two control characters. */
function markOf(line: string): [eventId: string, text: string] | undefined {
  const end = line.startsWith('\u001e') ? line.indexOf('\u001f') : -1;
  return end < 0 ? undefined : [line.slice(1, end), line.slice(end + 1)];
}
