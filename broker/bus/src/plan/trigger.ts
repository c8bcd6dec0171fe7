import { keyOf } from '@millrace/resources/resource';
import { brokerOf, dependencyOf, DELIVERY_ORDER, DEPENDENCY } from '@millrace/resources/trigger';
import type { Trigger } from '@millrace/resources/trigger';

import { addressOf } from './address.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import { CONCURRENCY_ANNOTATION, deliveryOf } from './delivery.ts';
import { concurrencyFault, filterFault } from './parts.ts';
import type { PlanFault, Route, Status } from './plan.ts';
import { resolve } from './resolve.ts';
import { brokerTopic } from './topics.ts';
import type { World } from './world.ts';

const CONDITIONS = [
  'BrokerReady',
  'SubscriptionReady',
  'DependencyReady',
  'SubscriberResolved',
  'DeadLetterSinkResolved',
  'OIDCIdentityCreated',
];

/** A Trigger is a route from its broker's topic, whose replies go back there. Without a broker or a subscriber there is no route. */
export function planTrigger(
  trigger: Trigger,
  world: World,
  dataUrl: string,
): { route: Route | undefined; status: Status; fault: PlanFault | undefined } {
  const { metadata, spec } = trigger;
  const { namespace, name, annotations } = metadata;
  const broker = world.find('Broker', namespace, brokerOf(trigger));
  const subscriber = resolve(spec.subscriber, namespace, world);
  // The trigger's delivery replaces the broker's as a whole, but for the dead letter sink (knative.md §1.3, §3.5).
  const delivery = spec.delivery ?? broker?.spec.delivery;
  const sink = spec.delivery?.deadLetterSink ?? broker?.spec.delivery?.deadLetterSink;
  const deadLetter = sink === undefined ? undefined : resolve(sink, namespace, world);
  const fault = filterFault(spec, 'spec.', keyOf(trigger)) ?? concurrencyFault(metadata, keyOf(trigger));

  const brokerTrouble: Trouble | undefined =
    broker === undefined
      ? { reason: 'BrokerDoesNotExist', message: `the Broker ${namespace}/${brokerOf(trigger)} is not declared` }
      : undefined;
  const troubles = {
    BrokerReady: brokerTrouble,
    DependencyReady: dependencyTrouble(annotations?.[DEPENDENCY], namespace, world),
    SubscriberResolved: 'trouble' in subscriber ? subscriber.trouble : undefined,
    DeadLetterSinkResolved: deadLetter !== undefined && 'trouble' in deadLetter ? deadLetter.trouble : undefined,
  };
  const conditions = conditionsOf(CONDITIONS, troubles);
  const details = {
    subscriberUri: addressOf(spec.subscriber, namespace, world, dataUrl),
    deadLetterSinkUri: addressOf(sink, namespace, world, dataUrl),
  };
  const status: Status = { kind: 'Trigger', namespace, name, conditions, details };
  if (broker === undefined || 'trouble' in subscriber || fault !== undefined)
    return { route: undefined, status, fault };

  const topic = brokerTopic(namespace, broker.metadata.name);
  // Only what filters: the rest of the spec stands in the route already.
  const { filter, filters } = spec;
  const route: Route = {
    name: `trigger/${namespace}/${name}`,
    key: keyOf(trigger),
    sinkCondition: 'SubscriberResolved',
    namespace,
    topic,
    filter: filters === undefined ? { filter } : { filter, filters },
    target: subscriber.target,
    replyTopic: topic,
    deadLetter: deadLetter !== undefined && 'target' in deadLetter ? deadLetter.target : undefined,
    delivery: deliveryOf(delivery, {
      ordered: annotations?.[DELIVERY_ORDER] === 'ordered',
      concurrency: annotations?.[CONCURRENCY_ANNOTATION],
    }),
    manner: 'broker',
  };
  return { route, status, fault };
}

function dependencyTrouble(annotation: string | undefined, namespace: string, world: World): Trouble | undefined {
  const dependency = annotation === undefined ? undefined : dependencyOf(annotation, namespace);
  if (dependency === undefined) return undefined;
  const { kind, name } = dependency;
  const isThere = world.all.some(
    ({ resource }) =>
      resource.kind === kind && resource.metadata.name === name && resource.metadata.namespace === namespace,
  );
  return isThere
    ? undefined
    : { reason: 'DependencyDoesNotExist', message: `the ${kind} ${namespace}/${name} is not declared` };
}
