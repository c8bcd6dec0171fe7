import { BROKER_DELIVERY } from '@millrace/resources/broker';
import { keyOf } from '@millrace/resources/resource';
import type { Service } from '@millrace/resources/service';

import { deliveryOf } from './delivery.ts';
import type { Route, Workload } from './plan.ts';

/** The extension of a result that somebody is to be called back with: the origin of the address. */
export const CALLBACK_EXTENSION = 'callback';

/** The topic of the asynchronous calls of a function (`<namespace>/<service>`), and the route that makes them. */
export function callTopic(workload: Workload['name']): string {
  return `call/${workload}`;
}

/** The topic of what came of them. */
export function resultTopic(workload: Workload['name']): string {
  return `result/${workload}`;
}

/**
 * What a Service has for asynchronous calls: a route that makes them, whose answers go to the topic of results, and one
 * that calls back whoever asked for it. Retries are those of a Broker that says nothing of them; what fails for good
 * rests among the dead letters.
 */
export function planCalls(service: Service): Route[] {
  const { namespace, name } = service.metadata;
  const workload = `${namespace}/${name}`;
  const common = {
    key: keyOf(service),
    sinkCondition: 'RoutesReady',
    namespace,
    deadLetter: undefined,
    delivery: deliveryOf(BROKER_DELIVERY, { ordered: false }),
    manner: 'broker' as const,
  };
  return [
    {
      ...common,
      name: callTopic(workload),
      topic: callTopic(workload),
      filter: {},
      target: { kind: 'call', workload },
      replyTopic: resultTopic(workload),
    },
    {
      ...common,
      name: `callback/${workload}`,
      topic: resultTopic(workload),
      filter: { filters: [{ prefix: { [CALLBACK_EXTENSION]: 'http' } }] },
      target: { kind: 'callback', workload },
      replyTopic: undefined,
    },
  ];
}
