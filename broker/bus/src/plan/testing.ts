import type { Delivery } from './plan.ts';

/** For tests: one attempt at a time, and only one. */
export const PLAIN_DELIVERY: Delivery = {
  retry: 0,
  backoffPolicy: 'linear',
  backoffDelayMs: 0,
  backoffMaxMs: undefined,
  retryAfterMaxMs: undefined,
  timeoutMs: 1_000,
  format: 'binary',
  ordered: false,
  concurrency: 1,
};
