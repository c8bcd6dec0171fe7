import { headerOf } from '@millrace/event/web';

/** Lines come a little later than the answer to their call: so many events are remembered. */
const REMEMBERED = 1_000;
// W3C Trace Context §3.2.2: version, trace, parent, flags.
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** Which trace the events of an instance belong to. */
export interface Traces {
  called(eventId: string, rawHeaders: readonly string[]): void;
  /** 32 hexadecimal digits; undefined when the event's call had none. */
  of(eventId: string): string | undefined;
}

/** Remembers the last thousand events that came with a trace. */
export function makeTraces(): Traces {
  const traces = new Map<string, string>();
  return {
    called(eventId, rawHeaders) {
      const traceId = TRACEPARENT.exec(headerOf(rawHeaders, 'traceparent') ?? '')?.[1];
      if (traceId === undefined) return;
      traces.set(eventId, traceId);
      if (traces.size > REMEMBERED) traces.delete(traces.keys().next().value!);
    },
    of: (eventId) => traces.get(eventId),
  };
}
