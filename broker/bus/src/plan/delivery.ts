import { deliveryNumbers } from '@millrace/resources/delivery';
import type { DeliverySpec } from '@millrace/resources/delivery';

import type { Delivery } from './plan.ts';

/** How many attempts of a route are under way at once, unless the annotation says otherwise. */
const CONCURRENCY = 100;
/** As Knative's Kafka dispatcher: agents take their time. */
const TIMEOUT_MS = 600_000;
/** What `retry` alone means; Knative's Kafka broker uses the same policy. */
const BACKOFF_POLICY = 'exponential';
const BACKOFF_DELAY_MS = 200;

/** Our annotation on a Trigger: attempts at once. */
export const CONCURRENCY_ANNOTATION = 'millrace.dev/concurrency';

export const MOST_CONCURRENCY = 10_000;

/** Whether the text of the annotation is a number of attempts. */
export function isConcurrency(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST_CONCURRENCY;
}

/** A declared delivery with all its defaults. */
export function deliveryOf(
  spec: DeliverySpec | undefined,
  options: { ordered: boolean; concurrency?: string | undefined },
): Delivery {
  const numbers = deliveryNumbers(spec);
  return {
    retry: numbers.retry,
    backoffPolicy: numbers.backoffPolicy ?? BACKOFF_POLICY,
    backoffDelayMs: numbers.backoffDelayMs ?? BACKOFF_DELAY_MS,
    backoffMaxMs: numbers.backoffMaxMs,
    retryAfterMaxMs: numbers.retryAfterMaxMs,
    timeoutMs: numbers.timeoutMs ?? TIMEOUT_MS,
    format: numbers.format,
    ordered: options.ordered,
    concurrency: options.concurrency === undefined ? CONCURRENCY : Number(options.concurrency),
  };
}
