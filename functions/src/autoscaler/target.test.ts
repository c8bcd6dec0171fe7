import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Scaling } from '@millrace/resources/scaling';
import { scalingOf } from '@millrace/resources/scaling';

import { metricTarget, scalingCaveat } from './target.ts';

const DEFAULTS = scalingOf({});

describe('the target of an instance', () => {
  // name, what is annotated, containerConcurrency, total, target = max(0.01, total × utilization)
  const cases: readonly [string, Partial<Scaling>, number, number, number][] = [
    ['is 70 of 100 calls at once by default', {}, 0, 100, 70],
    ['is 70 % of its containerConcurrency', {}, 10, 10, 7],
    ['is 70 % of 200 calls a second', { metric: 'rps' }, 0, 200, 140],
    ['is not limited by containerConcurrency in calls a second', { metric: 'rps', target: 50 }, 10, 50, 35],
    ['is 70 % of what is annotated', { target: 50 }, 0, 50, 35],
    ['is of what is annotated when that is below containerConcurrency', { target: 4 }, 10, 4, 2.8],
    ['is of containerConcurrency when that is below what is annotated', { target: 50 }, 10, 10, 7],
    ['has the utilization that is annotated', { targetUtilizationPercentage: 100 }, 10, 10, 10],
    ['is at least 0.01', { target: 0.01, targetUtilizationPercentage: 1 }, 0, 0.01, 0.01],
    ['does not take a target in processors for one in calls', { metric: 'cpu', target: 80 }, 0, 100, 70],
  ];
  for (const [name, annotated, containerConcurrency, total, target] of cases) {
    test(name, () => {
      const actual = metricTarget({ ...DEFAULTS, ...annotated }, containerConcurrency);
      assert.deepEqual([actual.total, actual.target.toFixed(9)], [total, target.toFixed(9)]);
    });
  }
});

describe('what is scaled otherwise than annotated', () => {
  test('says so', () => {
    const hpa = 'hpa.autoscaling.knative.dev';
    assert.match(scalingCaveat({ ...DEFAULTS, class: hpa, metric: 'memory' }) ?? '', /memory is not measured here/);
    assert.match(scalingCaveat({ ...DEFAULTS, class: hpa, metric: 'rps' }) ?? '', /scaled by rps/);
    assert.equal(metricTarget({ ...DEFAULTS, class: hpa, metric: 'memory' }, 0).metric, 'concurrency');
  });

  test('is silent about the rest', () => {
    assert.equal(scalingCaveat(DEFAULTS), undefined);
    assert.equal(scalingCaveat({ ...DEFAULTS, metric: 'rps' }), undefined);
  });
});
