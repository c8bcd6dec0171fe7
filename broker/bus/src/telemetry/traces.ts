import type { CollectorOptions } from './collector.ts';
import { listen } from './listen.ts';
import type { TraceTarget } from './trace-options.ts';

export { traceOptionsFrom } from './trace-options.ts';
export type { TraceTarget } from './trace-options.ts';

/** Where spans go, and what stands in for the machine. */
export interface TraceOptions extends TraceTarget, CollectorOptions {
  /** From 0 up to 1, for the ids of spans that did not travel. Default: the machine's chance. */
  readonly random?: () => number;
  /** How long `close` waits for the collector, in milliseconds. Default: 2000. */
  readonly closeWithinMs?: number;
}

/** Traces under way. */
export interface Traces {
  /** Listens no longer and sends what is left; resolves when that is done, or the collector has had its time. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2_000;

/**
 * Sends a span for each event that comes from outside and for each attempt, over OTLP/HTTP (JSON). Resolves when it
 * listens. OpenTelemetry is loaded here and nowhere else.
 *
 * Spans are made after the fact, with the ids that really travelled in `traceparent`. A run of event, reply, event is one
 * trace, and the bus remembers nothing for it:
 *
 *   sender's span S ──────────── the event came with 00-T-S, and that stands on its entry
 *     ├─ broker:default.shop     an id of its own: it did not travel
 *     ├─ trigger:a.shop  A1      the attempt went out with 00-T-A1, and failed
 *     └─ trigger:a.shop  A2      the next attempt, 00-T-A2
 *          ├─ subscriber's spans, if it traces
 *          └─ trigger:b.shop B1  the reply came back with 00-T-A2 (or under a span of the subscriber), and that stands on
 *                                its entry: B1 hangs under it. A reply needs no span of the broker's
 *
 * An event without a trace gets one at the gate. Nobody else has that span, so the broker's span takes its id, and all
 * hangs under it:
 *
 *   broker:default.shop  S       no parent. Known by its id: the second half of T
 *     └─ trigger:a.shop  A1 …
 */
export async function startTraces(options: TraceOptions): Promise<Traces> {
  const { serviceName, random = Math.random, closeWithinMs = CLOSE_WITHIN_MS } = options;
  const [{ openCollector }, { openSpanMaker }, { resourceFromAttributes }] = await Promise.all([
    import('./collector.ts'),
    import('./spans.ts'),
    import('@opentelemetry/resources'),
  ]);
  const collector = openCollector(options);
  const spans = openSpanMaker(resourceFromAttributes({ 'service.name': serviceName }), random);
  const stop = listen({
    accepted({ entries, duration }) {
      for (const entry of entries) {
        const span = spans.accepted(entry, duration);
        if (span !== undefined) collector.send(span);
      }
    },
    attempted(fact) {
      const span = spans.attempted(fact);
      if (span !== undefined) collector.send(span);
    },
  });
  return {
    close() {
      stop();
      return collector.close(closeWithinMs);
    },
  };
}
