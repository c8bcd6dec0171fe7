import { HandlerFailure } from '@millrace/event/handler';

import type { Delivery } from '../plan/plan.ts';

/** Whether what failed is worth another attempt: no response at all, 404, 408, 409, 429 and 5xx (DESIGN §3; Knative's `SelectiveRetry`). */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof HandlerFailure) || error.status === undefined) return true;
  const { status } = error;
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429;
}

/** A wait is spread by up to this part of it, so that what failed together does not return together. */
const JITTER = 0.1;

/** No clock and no timer counts beyond this; nobody waits for it either. */
const LONGEST_MS = 365 * 24 * 3_600_000;

/**
 * Milliseconds before retry number `k` (from 1). Linear: d·k; exponential: d·2^(k-1); at most `backoffMax`. A
 * `Retry-After` of a 429, 503 or 529 lengthens it, at most to `retryAfterMax`, where zero ignores it. Then up to 10 % more.
 */
export function waitBefore(k: number, delivery: Delivery, error: unknown, random: () => number): number {
  const { backoffPolicy, backoffDelayMs, backoffMaxMs = LONGEST_MS, retryAfterMaxMs = LONGEST_MS } = delivery;
  const growth = backoffPolicy === 'linear' ? k : 2 ** (k - 1);
  const backoff = Math.min(backoffDelayMs * growth, backoffMaxMs, LONGEST_MS);
  const wait = Math.max(backoff, Math.min(retryAfterOf(error), retryAfterMaxMs));
  return Math.round(wait * (1 + JITTER * random()));
}

// 529 is how providers of models say that they are overloaded.
const WAIT_IS_HONOURED = new Set([429, 503, 529]);

function retryAfterOf(error: unknown): number {
  if (!(error instanceof HandlerFailure) || !WAIT_IS_HONOURED.has(error.status ?? 0)) return 0;
  return error.retryAfterMs ?? 0;
}
