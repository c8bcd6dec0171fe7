import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { destinationName, destinationOf } from './destination.ts';
import { openFunctionMetrics } from './function-metrics.ts';
import type { FunctionReading } from './function-metrics.ts';
import { openHistogram } from './histogram.ts';
import type { Histogram, Labels, Series } from './histogram.ts';
import { kept } from './kept.ts';
import { listen } from './listen.ts';

/** What is not told as it happens, but read when somebody looks. By the name of the route. */
export interface GaugeReadings {
  /** Attempts under way. */
  readonly inFlight: Readonly<Record<string, number>>;
  /** Deliveries that wait for their next attempt. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Dead letters that rest in the store. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Entries of its topic that the route has not passed yet. */
  readonly lag: Readonly<Record<string, number>>;
  /** Entries in the log. */
  readonly entries: number;
}

/** Where metrics get what is not told. */
export interface MetricsOptions {
  /** Called once for each scrape. */
  readonly gauges: () => GaugeReadings;
  /** The same for the functions of this process. Default: there are none. */
  readonly functions?: () => readonly FunctionReading[];
}

/** What was counted since the start. */
export interface Metrics {
  /** All metrics as they stand, in the text format of Prometheus. Rejects when the gauges cannot be read. */
  text(): Promise<string>;
  /** The media type of the text. */
  readonly contentType: string;
  /** Counts nothing more; what was counted can still be read. */
  close(): void;
}

/** In seconds: Knative's (knative.md §7.2). */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** In seconds: a synced append of one event takes about a millisecond. */
const APPEND_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** How many values a label takes before the others are lumped together. */
const MOST_NAMES = 1_000;
const MOST_TYPES = 200;
const MOST_STATUSES = 40;

/**
 * Counts what the bus tells, for Prometheus. Two families of names: Knative's own, which its dashboards know
 * (knative.md §7.2, their dots as underscores), and `millrace_…` for what Knative does not count: refusals, retries,
 * dead letters, queues, functions. Unlike Knative's, `kn_eventing_dispatch_duration_seconds` counts every attempt by itself.
 */
export function startMetrics({ gauges, functions = () => [] }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const readGauges = openGauges(registry, gauges);
  const ofFunctions = openFunctionMetrics(registry, functions);

  const dispatch = openHistogram({
    name: 'kn_eventing_dispatch_duration_seconds',
    help: 'The time to hand an event on: to the log for a broker, to the subscriber for a trigger',
    buckets: BUCKETS,
    registry,
  });
  const waited = openHistogram({
    name: 'kn_eventing_process_duration_seconds',
    help: 'The time from the arrival of an event until its first attempt begins',
    buckets: BUCKETS,
    registry,
  });
  const attempts = openHistogram({
    name: 'millrace_attempt_duration_seconds',
    help: 'The time of one attempt of a delivery',
    buckets: BUCKETS,
    registry,
  });
  const append = openHistogram({
    name: 'millrace_append_duration_seconds',
    help: 'The time from the arrival of events until they are durable',
    buckets: APPEND_BUCKETS,
    registry,
  }).series({});
  const accepted = new Counter({
    name: 'millrace_events_accepted_total',
    help: 'Events that entered the log',
    labelNames: ['topic'],
    registers,
  });
  const refused = new Counter({
    name: 'millrace_requests_refused_total',
    help: 'Requests that were answered without an event entering the log',
    labelNames: ['status'],
    registers,
  });
  const deliveries = new Counter({
    name: 'millrace_deliveries_total',
    help: 'Attempts of deliveries, by what became of them',
    labelNames: ['route', 'outcome'],
    registers,
  });

  const flowOutcomes = new Counter({
    name: 'millrace_flow_outcomes_total',
    help: 'How events ended in flows: with a reply, at a step without one, or by a step that failed for good',
    labelNames: ['flow', 'outcome'],
    registers,
  });
  const flows = kept((flow) => kept((outcome) => flowOutcomes.labels({ flow, outcome })), MOST_NAMES);

  const typeOf = kept((type) => type, MOST_TYPES);
  const refusals = kept((status) => refused.labels({ status }), MOST_STATUSES);
  const topics = kept(
    (topic) => ({
      accepted: accepted.labels({ topic }),
      dispatch: byStatusAndType(dispatch, participants(topic, topic)),
    }),
    MOST_NAMES,
  );
  const routes = kept(
    (route) => ({
      outcome: kept((outcome) => deliveries.labels({ route, outcome })),
      attempts: attempts.series({ route }),
      from: kept(
        (topic) => ({
          dispatch: byStatusAndType(dispatch, participants(topic, route)),
          waited: byType(waited, participants(topic, route)),
        }),
        MOST_NAMES,
      ),
    }),
    MOST_NAMES,
  );

  const close = listen({
    accepted({ entries, duration }) {
      append.observe(duration / 1_000);
      for (const { topic, event, cause } of entries) {
        const series = topics(topic);
        series.accepted.inc();
        if (topic.startsWith(RESULTS)) flows(topic.slice(RESULTS.length))('replied').inc();
        if (cause === undefined)
          series
            .dispatch('202')(typeOf(event.type))
            .observe(duration / 1_000);
      }
      ofFunctions.accepted({ entries, duration });
    },
    prewarmed: (fact) => ofFunctions.prewarmed(fact),
    refused({ status }) {
      refusals(String(status)).inc();
    },
    attempted({ entry, settlement, flow, hasReplied }) {
      const { duration, status, stage, attempt, startedAt } = settlement;
      const series = routes(settlement.route);
      series.outcome(settlement.outcome).inc();
      series.attempts.observe(duration / 1_000);
      const { outcome } = settlement;
      if (flow !== undefined && outcome === 'delivered' && !hasReplied) flows(flow)('silent').inc();
      if (flow !== undefined && (outcome === 'parked' || outcome === 'deadLettered')) flows(flow)('failed').inc();
      if (stage !== 'subscriber') return;
      const type = typeOf(entry.event.type);
      const from = series.from(entry.topic);
      from
        .dispatch(status === undefined ? '' : String(status))(type)
        .observe(duration / 1_000);
      if (attempt === 1) from.waited(type).observe((startedAt - entry.arrivedAt) / 1_000);
    },
  });

  return {
    contentType: registry.contentType,
    text() {
      readGauges();
      ofFunctions.readGauges();
      return registry.metrics();
    },
    close,
  };
}

/** What the topics begin with in which flows end. */
const RESULTS = 'results/';

const KINDS = new Set(['broker', 'channel', 'source']);

/** The labels by which Knative tells brokers, channels and sources apart, and where the event goes. */
function participants(topic: string, to: string): Labels {
  const labels: Record<string, string> = {
    messaging_system: 'knative',
    messaging_operation_name: 'send',
    messaging_destination_name: destinationName(to),
  };
  const from = destinationOf(topic);
  if (from === undefined) return labels;
  const kind = from.kind.endsWith('source') ? 'source' : from.kind;
  if (!KINDS.has(kind)) return labels;
  labels[`kn_${kind}_name`] = from.name;
  labels[`kn_${kind}_namespace`] = from.namespace;
  return labels;
}

function byStatusAndType(histogram: Histogram, labels: Labels): (status: string) => (type: string) => Series {
  return kept(
    // An attempt without a response has no status: as in Prometheus, a label that is empty is not there.
    (status) => byType(histogram, status === '' ? labels : { ...labels, http_response_status_code: status }),
    MOST_STATUSES,
  );
}

function byType(histogram: Histogram, labels: Labels): (type: string) => Series {
  return kept((type) => histogram.series({ ...labels, cloudevents_type: type }));
}

function openGauges(registry: Registry, read: () => GaugeReadings): () => void {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['route'], registers });
  const inFlight = gauge('millrace_in_flight', 'Attempts under way');
  const waiting = gauge('millrace_waiting', 'Deliveries that wait for their next attempt');
  const deadLetters = gauge('millrace_dead_letters', 'Dead letters that rest in the store');
  const lag = gauge('millrace_route_lag', 'Entries of its topic that the route has not passed yet');
  const entries = new Gauge({ name: 'millrace_log_entries', help: 'Entries in the log', registers });
  return () => {
    const readings = read();
    show(inFlight, readings.inFlight);
    show(waiting, readings.waiting);
    show(deadLetters, readings.deadLetters);
    show(lag, readings.lag);
    entries.set(readings.entries);
  };
}

/** A route that is gone is not shown any more. */
function show(gauge: Gauge<'route'>, readings: Readonly<Record<string, number>>): void {
  gauge.reset();
  const labelOf = kept((route) => route, MOST_NAMES);
  for (const [route, value] of Object.entries(readings)) gauge.inc({ route: labelOf(route) }, value);
}
