import { BROKER_DELIVERY } from '@millrace/resources/broker';

import { deliveryOf } from './delivery.ts';
import type { Whole } from './parts.ts';
import type { Route, Step, Target } from './plan.ts';

/** So many events at once may have their branches or items under way; others wait in the log. */
const MOST_OPEN = 1_000;

/** How much longer than its deadline an attempt may last: what has come by then is still to be written. */
const GRACE_MS = 60_000;

/** A route whose delivery of an event lasts until other routes have done with it: a join, a map. */
export function waitingRoute(
  route: {
    readonly name: string;
    readonly topic: string;
    readonly step: Step;
    readonly target: Extract<Target, { readonly deadlineMs: number }>;
    readonly replyTopic: string;
  },
  { key, metadata, condition, manner }: Whole,
): Route {
  const delivery = deliveryOf(BROKER_DELIVERY, { ordered: false });
  return {
    ...route,
    key,
    sinkCondition: condition,
    namespace: metadata.namespace,
    filter: {},
    deadLetter: undefined,
    delivery: { ...delivery, concurrency: MOST_OPEN, timeoutMs: route.target.deadlineMs + GRACE_MS },
    manner,
  };
}
