import type { Metric, Registry } from 'prom-client';

/** One series of a histogram. */
export interface Series {
  observe(seconds: number): void;
}

/** Counts durations in buckets. */
export interface Histogram {
  /** A new series with these labels; keep it. Beyond the limit all share one, `otel_metric_overflow="true"`. */
  series(labels: Labels): Series;
}

/** Names of labels to their values. */
export type Labels = Readonly<Record<string, string>>;

/** What a histogram is called, and how it counts. */
export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
  /** Series at most. 2000 unless told, as OpenTelemetry's metrics SDK specification has it (cardinality limits). */
  readonly limit?: number;
  readonly registry: Registry;
}

interface Counts extends Series {
  readonly labels: Labels;
  /** One more than there are bounds: the last is for what is above them all. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram for the hot path, served by prom-client's registry. prom-client's own puts a key together from all labels
 * on every observation, also where they are bound: that costs ten times what the counting does.
 */
export function openHistogram({ name, help, buckets, limit = 2_000, registry }: HistogramOptions): Histogram {
  const all: Counts[] = [];
  let overflow: Counts | undefined;

  const add = (labels: Labels): Counts => {
    const made = openCounts(labels, buckets);
    all.push(made);
    return made;
  };

  const metric = {
    name,
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: all.flatMap((series) => exposed(name, buckets, series)),
    }),
  };
  // The registry reads no more of a metric than this.
  registry.registerMetric(metric as unknown as Metric);

  return {
    series: (labels) => (all.length < limit ? add(labels) : (overflow ??= add({ otel_metric_overflow: 'true' }))),
  };
}

function openCounts(labels: Labels, buckets: readonly number[]): Counts {
  const counts = new Float64Array(buckets.length + 1);
  const series: Counts = {
    labels,
    counts,
    sum: 0,
    observe(seconds) {
      let index = 0;
      while (index < buckets.length && seconds > (buckets[index] as number)) index += 1;
      counts[index] = (counts[index] as number) + 1;
      series.sum += seconds;
    },
  };
  return series;
}

function exposed(name: string, buckets: readonly number[], { labels, counts, sum }: Counts): object[] {
  let count = 0;
  const lines: object[] = [];
  for (const [index, more] of counts.entries()) {
    count += more;
    const le = buckets[index] ?? '+Inf';
    lines.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: count });
  }
  lines.push({ metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count });
  return lines;
}
