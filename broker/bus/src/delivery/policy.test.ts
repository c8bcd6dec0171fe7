import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';

import type { Delivery } from '../plan/plan.ts';
import { PLAIN_DELIVERY } from '../plan/testing.ts';
import { isRetriable, waitBefore } from './policy.ts';

const DELIVERY: Delivery = { ...PLAIN_DELIVERY, retry: 10, backoffDelayMs: 100 };

const waits = (delivery: Partial<Delivery>, error: unknown = new Error('broken'), random = 0) =>
  [1, 2, 3, 4].map((k) => waitBefore(k, { ...DELIVERY, ...delivery }, error, () => random));

const answered = (status: number, retryAfterMs?: number) => new HandlerFailure('no', { status, retryAfterMs });

describe('the wait before retries 1, 2, 3 and 4', () => {
  const linear = { backoffPolicy: 'linear' } as const;
  const exponential = { backoffPolicy: 'exponential' } as const;
  const asks = answered(429, 250);
  const table: readonly (readonly [name: string, Partial<Delivery>, unknown, readonly number[]])[] = [
    ['linear', linear, undefined, [100, 200, 300, 400]],
    ['exponential', exponential, undefined, [100, 200, 400, 800]],
    ['linear, capped', { ...linear, backoffMaxMs: 250 }, undefined, [100, 200, 250, 250]],
    ['exponential, capped', { ...exponential, backoffMaxMs: 250 }, undefined, [100, 200, 250, 250]],
    ['capped below the first', { ...linear, backoffMaxMs: 50 }, undefined, [50, 50, 50, 50]],
    ['without a delay', { ...exponential, backoffDelayMs: 0 }, undefined, [0, 0, 0, 0]],
    ['lengthened by Retry-After', linear, asks, [250, 250, 300, 400]],
    ['lengthened beyond the cap of the backoff', { ...linear, backoffMaxMs: 150 }, asks, [250, 250, 250, 250]],
    ['lengthened to its own cap', { ...linear, retryAfterMaxMs: 150 }, asks, [150, 200, 300, 400]],
    ['not lengthened where that cap is zero', { ...linear, retryAfterMaxMs: 0 }, asks, [100, 200, 300, 400]],
    ['not lengthened after a 500', linear, answered(500, 9_000), [100, 200, 300, 400]],
    ['not lengthened after a 429 that asks for nothing', linear, answered(429), [100, 200, 300, 400]],
  ];
  for (const [name, delivery, error, expected] of table) {
    test(name, () => assert.deepEqual(waits(delivery, error), expected));
  }

  for (const status of [429, 503, 529]) {
    test(`lengthened after a ${status}`, () => {
      assert.deepEqual(waits(linear, answered(status, 1_000)), [1_000, 1_000, 1_000, 1_000]);
    });
  }

  test('spread by up to a tenth, Retry-After included', () => {
    assert.deepEqual(waits(linear, undefined, 0.5), [105, 210, 315, 420]);
    assert.deepEqual(waits(linear, answered(503, 1_000), 0.999_999), [1_100, 1_100, 1_100, 1_100]);
  });

  test('is a number of milliseconds that a clock can count, however often', () => {
    const wait = waitBefore(5_000, { ...DELIVERY, backoffPolicy: 'exponential' }, undefined, () => 0);
    assert.ok(Number.isSafeInteger(wait), `${wait}`);
  });
});

describe('another attempt', () => {
  test('is worth it without a response, and after what may pass', () => {
    assert.ok(isRetriable(new Error('broken')));
    assert.ok(isRetriable(new HandlerFailure('connection refused')));
    for (const status of [404, 408, 409, 429, 500, 501, 503, 529, 599])
      assert.ok(isRetriable(answered(status)), `${status}`);
  });

  test('is not worth it after any other answer', () => {
    for (const status of [300, 301, 304, 307, 400, 401, 403, 405, 410, 413, 415, 422, 451, 499]) {
      assert.ok(!isRetriable(answered(status)), `${status}`);
    }
  });
});
