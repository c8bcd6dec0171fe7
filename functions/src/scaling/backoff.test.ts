import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeBackoff } from './backoff.ts';

test('waits 0, 1, 2, 4 … at most 30 s after failures in a row, and nothing after a success', () => {
  let clock = 5_000;
  const backoff = makeBackoff(() => clock);
  assert.equal(backoff.waitMs(), 0);
  const waits = Array.from({ length: 8 }, () => {
    backoff.failed();
    return backoff.waitMs();
  });
  assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  clock += 29_000;
  assert.equal(backoff.waitMs(), 1_000);
  clock += 5_000;
  assert.equal(backoff.waitMs(), 0);
  backoff.failed();
  backoff.succeeded();
  assert.deepEqual([backoff.failures, backoff.waitMs()], [0, 0]);
});
