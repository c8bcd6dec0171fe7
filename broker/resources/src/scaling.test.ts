import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scalingOf } from './scaling.ts';
import { faultsOf, receiptsOf } from './testing.ts';

const prefixed = (annotations: Record<string, string>) =>
  Object.fromEntries(Object.entries(annotations).map(([name, text]) => [`autoscaling.knative.dev/${name}`, text]));

const serviceText = (annotations: Record<string, string>) =>
  JSON.stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'agent' },
    spec: { template: { metadata: { annotations: prefixed(annotations) }, spec: { containers: [{ image: 'a' }] } } },
  });

const DEFAULTS = {
  class: 'kpa.autoscaling.knative.dev',
  metric: 'concurrency',
  targetUtilizationPercentage: 70,
  targetBurstCapacity: 211,
  minScale: 0,
  maxScale: 0,
  initialScale: 0,
  activationScale: 1,
  scaleDownDelayMs: 0,
  windowMs: 60_000,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  scaleToZeroPodRetentionMs: 0,
  metricAggregationAlgorithm: 'linear',
};

describe('scaling', () => {
  test('is what the autoscaler does unless told', () => {
    assert.deepEqual(scalingOf(undefined), DEFAULTS);
    assert.deepEqual(scalingOf({ 'example.com/min-scale': '5' }), DEFAULTS);
  });

  test('is read from annotations in either spelling', () => {
    const annotations = {
      minScale: '2',
      'max-scale': '10',
      window: '90s',
      target: '0.5',
      scaleDownDelay: '1m30s',
      metric: 'rps',
    };
    assert.deepEqual(scalingOf(prefixed(annotations)), {
      ...DEFAULTS,
      minScale: 2,
      maxScale: 10,
      windowMs: 90_000,
      target: 0.5,
      scaleDownDelayMs: 90_000,
      metric: 'rps',
    });
  });

  test('in the older spelling leaves a receipt', () => {
    assert.deepEqual(receiptsOf(serviceText({ minScale: '0', 'max-scale': '1' })), [
      'autoscaling.knative.dev/minScale is an older spelling, read as autoscaling.knative.dev/min-scale',
    ]);
  });

  for (const [name, values] of Object.entries({
    class: ['hpa.autoscaling.knative.dev'],
    target: ['0.01', '100'],
    'target-utilization-percentage': ['1', '100'],
    'target-burst-capacity': ['-1', '0', '211'],
    'initial-scale': ['0', '3'],
    'activation-scale': ['2'],
    'scale-down-delay': ['0s', '1h'],
    window: ['6s', '1h'],
    'panic-window-percentage': ['1', '100'],
    'panic-threshold-percentage': ['110', '1000'],
    'scale-to-zero-pod-retention-period': ['0', '60m'],
    'metric-aggregation-algorithm': ['weighted-exponential'],
  })) {
    test(`may have ${name} ${values.join(' or ')}`, () => {
      for (const value of values) assert.deepEqual(faultsOf(serviceText({ [name]: value })), []);
    });
  }

  for (const [name, values] of Object.entries({
    class: ['fast'],
    metric: ['latency'],
    target: ['0', '-1', 'many', '1e3'],
    'target-utilization-percentage': ['0', '101'],
    'target-burst-capacity': ['-2', ''],
    'min-scale': ['-1', '1.5', '', '99999999999'],
    'activation-scale': ['1'],
    'scale-down-delay': ['61m', '-1s', '30'],
    window: ['5s', '61m'],
    'panic-threshold-percentage': ['109', '1001'],
    minscale: ['1'],
    'min-scales': ['1'],
  })) {
    test(`may not have ${name} ${values.join(' or ')}`, () => {
      for (const value of values) assert.equal(faultsOf(serviceText({ [name]: value })).length, 1, value);
    });
  }

  test('may not have fewer at most than at least, or be said twice differently', () => {
    assert.equal(faultsOf(serviceText({ 'min-scale': '3', 'max-scale': '2' })).length, 1);
    assert.equal(faultsOf(serviceText({ 'activation-scale': '3', maxScale: '2' })).length, 1);
    assert.equal(faultsOf(serviceText({ 'min-scale': '3', minScale: '2' })).length, 1);
    assert.deepEqual(faultsOf(serviceText({ 'min-scale': '3', minScale: '3', 'max-scale': '0' })), []);
  });
});
