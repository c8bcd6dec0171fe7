import { makeEvent } from '@millrace/event/event';

import type { Attempted } from '../log/facts.ts';
import type { Entry } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';

/** For tests: an entry of the topic of a broker, with an event in it. */
export function sampleEntry(changes: Partial<Entry> = {}, attributes: Record<string, unknown> = {}): Entry {
  return {
    topic: 'broker/shop/default',
    position: 7,
    arrivedAt: 1_000,
    hops: 0,
    event: makeEvent(
      { specversion: '1.0', id: 'e-1', source: '/orders', type: 'order.placed', ...attributes },
      new TextEncoder().encode('the data of the event'),
    ),
    ...changes,
  };
}

/** For tests: an attempt that was delivered. */
export function sampleAttempt(
  changes: Partial<Settlement> = {},
  entry: Entry = sampleEntry(),
  traceparent?: string,
): Attempted {
  const settlement: Settlement = {
    route: 'trigger/shop/mailer',
    position: entry.position,
    attempt: 1,
    stage: 'subscriber',
    outcome: 'delivered',
    startedAt: 1_020,
    duration: 60,
    status: 200,
    waited: false,
    ...changes,
  };
  return { entry, settlement, traceparent, hasReplied: false };
}
