import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConcurrencyMeter } from './meter.ts';

test('a call counts for as long as it lasts', () => {
  const meter = new ConcurrencyMeter(5_000);
  meter.changed(5_100, 1);
  meter.changed(5_350, 0);
  assert.deepEqual(meter.sample(6_000), { concurrency: 0.25, requests: 1 });
});

test('a sample begins where the one before ended, with the calls that are still there', () => {
  const meter = new ConcurrencyMeter(0);
  meter.changed(500, 1);
  meter.changed(500, 2);
  assert.deepEqual(meter.sample(1_000), { concurrency: 1, requests: 2 });
  meter.changed(1_500, 1);
  assert.deepEqual(meter.sample(2_000), { concurrency: 1.5, requests: 0 });
});

test('several calls may come or end at once', () => {
  const meter = new ConcurrencyMeter(0);
  meter.changed(0, 10);
  meter.changed(500, 4);
  meter.changed(500, 6);
  assert.deepEqual(meter.sample(1_000), { concurrency: 8, requests: 12 });
});

test('a sample that takes no time has the calls of its moment', () => {
  const meter = new ConcurrencyMeter(0);
  meter.changed(0, 3);
  assert.deepEqual(meter.sample(0), { concurrency: 3, requests: 3 });
});
