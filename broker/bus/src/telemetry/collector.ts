import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

import type { Logger } from './levels.ts';
import { redactText } from './redact.ts';
import type { TraceTarget } from './trace-options.ts';

/** Where the collector is, and who hears of its troubles. */
export interface CollectorOptions extends Pick<TraceTarget, 'endpoint' | 'headers'> {
  /** Takes the spans instead of the collector at the endpoint. */
  readonly exporter?: SpanExporter | undefined;
  /** Is told, once a minute at most, that the collector takes no spans. Default: nobody is. */
  readonly logger?: Pick<Logger, 'warn'> | undefined;
  /** Milliseconds since 1970, to count that minute. Default: the machine's clock. */
  readonly now?: () => number;
}

/** Takes spans and sends them on in batches. A collector that is down costs spans, and nothing else. */
export interface Collector {
  /** Returns at once. Beyond what the queue holds spans are dropped. */
  send(span: ReadableSpan): void;
  /** Sends what is left; resolves when that is done or the deadline has passed. Never rejects. */
  close(deadlineMs: number): Promise<void>;
}

/** So many spans wait at most: some megabytes. */
const MOST_WAITING = 8_192;
const COMPLAIN_EVERY_MS = 60_000;

/** Opens the way to the collector; connects when there is something to send. */
export function openCollector({ endpoint, headers, exporter, logger, now = Date.now }: CollectorOptions): Collector {
  const complain = complainer((reason, lost) => {
    logger?.warn('spans could not be sent to the collector', { endpoint, reason, lost });
  }, now);
  const target = exporter ?? new OTLPTraceExporter({ url: endpoint, headers: { ...headers } });
  const watched = watch(target, complain);
  const processor = new BatchSpanProcessor({ exporter: watched, maxQueueSize: MOST_WAITING });

  return {
    send: (span) => processor.onEnd(span),
    async close(deadlineMs) {
      // Without this the processor would hold the process up for as long as it waits for an answer.
      const timer = setTimeout(() => watched.abandon(), deadlineMs);
      try {
        await Promise.race([processor.shutdown(), watched.abandoned]);
      } catch {
        // What could not be sent has been complained of.
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

type Done = Parameters<SpanExporter['export']>[1];
type Result = Parameters<Done>[0];

interface WatchedExporter extends SpanExporter {
  /** Waits for no answer any more: what is under way has failed. */
  abandon(): void;
  /** Resolves when that has happened. */
  readonly abandoned: Promise<void>;
}

function watch(exporter: SpanExporter, complain: Complain): WatchedExporter {
  const pending = new Set<(error: Error) => void>();
  const { promise: abandoned, resolve } = Promise.withResolvers<void>();
  return {
    abandoned,
    export(spans, done) {
      const finish: Done = (result) => {
        if (!pending.delete(give)) return;
        if (result.code !== SUCCESS) complain(result.error?.message ?? 'no reason given', spans.length);
        done(result);
      };
      const give = (error: Error): void => finish({ code: FAILED, error });
      pending.add(give);
      exporter.export(spans, finish);
    },
    shutdown: () => exporter.shutdown(),
    abandon() {
      for (const give of pending) give(new Error('no answer before the bus stopped'));
      resolve();
    },
  };
}

/** OpenTelemetry's `ExportResultCode`; its package is not ours to import. */
const SUCCESS = 0 as unknown as Result['code'];
const FAILED = 1 as unknown as Result['code'];

type Complain = (reason: string, spans: number) => void;

/** Passes on at most one complaint a minute, with how many spans were lost since the last. */
function complainer(tell: Complain, now: () => number): Complain {
  let lost = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (reason, spans) => {
    lost += spans;
    if (now() - toldAt < COMPLAIN_EVERY_MS) return;
    toldAt = now();
    tell(redactText(reason), lost);
    lost = 0;
  };
}
