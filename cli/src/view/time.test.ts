import assert from 'node:assert/strict';
import { test } from 'node:test';

import { age, humanDuration, latency } from './time.ts';

test('durations are as short as those of kubectl', () => {
  for (const [seconds, expected] of [
    [-5, '0s'],
    [0.9, '0s'],
    [119, '119s'],
    [120, '2m'],
    [200, '3m20s'],
    [600, '10m'],
    [3 * 3_600 - 1, '179m'],
    [3 * 3_600 + 60, '3h1m'],
    [8 * 3_600 + 60, '8h'],
    [50 * 3_600, '2d2h'],
    [9 * 86_400, '9d'],
    [3 * 365 * 86_400, '3y'],
    [9 * 365 * 86_400, '9y'],
  ] as const) {
    assert.equal(humanDuration(seconds * 1_000), expected);
  }
});

test('an age is counted from a time in RFC 3339', () => {
  assert.equal(age('2026-01-31T12:00:00Z', Date.parse('2026-01-31T12:00:30.5Z')), '30s');
});

test('a latency is in milliseconds, or from one second on in seconds', () => {
  assert.equal(latency(0.4), '0ms');
  assert.equal(latency(999), '999ms');
  assert.equal(latency(1_250), '1.25s');
});
