import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scalingOf } from '@millrace/resources/scaling';
import * as fc from 'fast-check';

import { MetricWindow, panicWindowMs } from './window.ts';

const linear = (seconds: number, ...values: readonly number[]) => filled('linear', seconds, values);
const weighted = (seconds: number, ...values: readonly number[]) => filled('weighted-exponential', seconds, values);

/** The first value in second 0, the next in second 1, and so on. */
function filled(algorithm: 'linear' | 'weighted-exponential', seconds: number, values: readonly number[]) {
  const window = new MetricWindow(seconds * 1_000, algorithm);
  values.forEach((value, second) => window.record(second * 1_000 + 999, value));
  return window;
}

describe('a linear window', () => {
  test('divides by the seconds since its first value until it is full', () => {
    assert.equal(linear(60, 10).average(500), 10);
    assert.equal(linear(60, 10, 20, 60).average(2_000), 30);
  });

  test('forgets what is older than its length', () => {
    assert.equal(linear(4, 100, 100, 1, 2, 3, 4).average(5_999), 2.5);
  });

  test('leaves out the seconds after its last value, in the sum and in the divisor', () => {
    const window = linear(4, 100, 1, 2, 3, 4);
    assert.equal(window.average(5_000), 3, '(2 + 3 + 4) / 3');
    assert.equal(window.average(7_000), 4, 'only the last one is within 4 s');
    assert.equal(linear(60, 10, 20).average(40_000), 15, 'not yet full: divided by the 2 s that were written');
  });

  test('counts seconds without a value as 0 once a value comes after them', () => {
    const window = linear(60, 12);
    window.record(3_000, 12);
    assert.equal(window.average(3_000), 6);
  });

  test('is 0 without a value for its whole length, and empty after that', () => {
    const window = linear(4, 7);
    assert.deepEqual([window.average(3_999), window.isEmpty(3_999)], [7, false]);
    assert.deepEqual([window.average(4_000), window.isEmpty(4_999)], [0, false]);
    assert.deepEqual([window.average(5_000), window.isEmpty(5_000)], [0, true]);
    assert.equal(new MetricWindow(4_000, 'linear').isEmpty(0), true);
  });

  test('begins anew with the first value after its whole length without one', () => {
    const window = linear(4, 7, 7, 7);
    window.record(6_000, 1);
    assert.equal(window.average(6_000), 1);
  });

  test('adds up what comes in the same second', () => {
    const window = linear(60, 1);
    window.record(10, 2);
    assert.equal(window.average(0), 3);
  });

  test('takes a value that comes late, unless it is a whole window late', () => {
    const window = new MetricWindow(4_000, 'linear');
    window.record(10_000, 4);
    window.record(8_000, 2);
    assert.equal(window.average(10_000), 2, '(2 + 0 + 4) / 3');
    window.record(6_000, 100);
    assert.equal(window.average(10_000), 2);
  });

  test('cuts its average after six decimals', () => {
    assert.equal(linear(60, 1, 0, 0).average(2_000), 0.333333);
  });
});

describe('a weighted window', () => {
  test('gives the newest second the weight c = 1 - 0.0001^(1/n), each older one 1 - c of the one after it', () => {
    // n = 4: c = 1 - 0.1 = 0.9
    assert.ok(near(weighted(4, 10, 20).average(1_000), 20 * 0.9 + 10 * 0.9 * 0.1));
    assert.ok(near(weighted(4, 10, 20).average(2_000), 20 * 0.9 * 0.1 + 10 * 0.9 * 0.01));
  });

  test('weighs the newest second with 0.2 at least', () => {
    // n = 60: 1 - 0.0001^(1/60) = 0.142
    assert.ok(near(weighted(60, 10, 20).average(1_000), 20 * 0.2 + 10 * 0.2 * 0.8));
  });

  test('is 0 without a value for its whole length', () => {
    assert.equal(weighted(4, 10).average(4_000), 0);
  });
});

test('an average is never below the least value of its seconds, nor above the highest', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30 }), fc.nat(10), (values, late) => {
      const average = linear(10, ...values).average((values.length - 1 + Math.min(late, 9)) * 1_000);
      const seen = values.slice(-10);
      assert.ok(average >= Math.min(...seen) - 1e-6 && average <= Math.max(...seen));
    }),
  );
});

test('the panic window is 10 % of 60 s, in whole seconds, and at least one', () => {
  assert.equal(panicWindowMs(scalingOf({})), 6_000);
  const of = (windowMs: number, panicWindowPercentage: number) =>
    panicWindowMs({ ...scalingOf({}), windowMs, panicWindowPercentage });
  assert.deepEqual([of(30_000, 15), of(24_000, 10), of(6_000, 1), of(60_000, 100)], [5_000, 2_000, 1_000, 60_000]);
});

function near(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) < 2e-6;
}
