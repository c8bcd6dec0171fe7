import type { Scaling } from '@millrace/resources/scaling';

/** container-concurrency-target-default (knative.md §9.1). */
const CONCURRENCY_DEFAULT = 100;
/** requests-per-second-target-default. */
const REQUESTS_DEFAULT = 200;
/** However little the author asks for. */
const LEAST_TARGET = 0.01;

/** What is measured, and how much of it an instance is to have (knative.md §9.3). */
export interface MetricTarget {
  readonly metric: 'concurrency' | 'rps';
  /** The most that one instance can take. */
  readonly total: number;
  /** What one instance is given, so that some of it is left for the next moment. */
  readonly target: number;
}

/** The target of a revision; `containerConcurrency` is how many calls one instance may have at once, 0: no limit. */
export function metricTarget(scaling: Scaling, containerConcurrency: number): MetricTarget {
  const metric = scaling.metric === 'rps' ? 'rps' : 'concurrency';
  const total = totalOf(scaling, containerConcurrency);
  return { metric, total, target: Math.max(LEAST_TARGET, total * (scaling.targetUtilizationPercentage / 100)) };
}

function totalOf({ metric, target }: Scaling, containerConcurrency: number): number {
  if (metric === 'rps') return target ?? REQUESTS_DEFAULT;
  const limit = containerConcurrency || Infinity;
  // A target in processors or bytes says nothing about calls.
  if (metric === 'concurrency' && target !== undefined) return Math.min(target, limit);
  return limit === Infinity ? CONCURRENCY_DEFAULT : limit;
}

/** Why a revision is scaled otherwise than its annotations say, for people; undefined when it is not. */
export function scalingCaveat({ class: autoscaler, metric }: Scaling): string | undefined {
  if (metric === 'cpu' || metric === 'memory') {
    return `metric ${metric} is not measured here: scaled by concurrency, with the default target`;
  }
  if (autoscaler === 'hpa.autoscaling.knative.dev') {
    return `class ${autoscaler} is not available here: scaled by ${metric} as kpa.autoscaling.knative.dev does`;
  }
  return undefined;
}
