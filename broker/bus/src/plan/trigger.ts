import { complaint } from '@millrace/resources/fault';
import { keyOf } from '@millrace/resources/resource';
import { brokerOf, dependencyOf, DELIVERY_ORDER, DEPENDENCY } from '@millrace/resources/trigger';
import type { Trigger } from '@millrace/resources/trigger';

import { FilterFault } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import { CONCURRENCY_ANNOTATION, deliveryOf, isConcurrency, MOST_CONCURRENCY } from './delivery.ts';
import type { PlanFault, Route, Status } from './plan.ts';
import { brokerTopic, resolve } from './resolve.ts';
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
): { route: Route | undefined; status: Status; fault: PlanFault | undefined } {
  const { metadata, spec } = trigger;
  const { namespace, name, annotations } = metadata;
  const broker = world.find('Broker', namespace, brokerOf(trigger));
  const subscriber = resolve(spec.subscriber, namespace, world);
  // The trigger's delivery replaces the broker's as a whole, but for the dead letter sink (knative.md §1.3, §3.5).
  const delivery = spec.delivery ?? broker?.spec.delivery;
  const sink = spec.delivery?.deadLetterSink ?? broker?.spec.delivery?.deadLetterSink;
  const deadLetter = sink === undefined ? undefined : resolve(sink, namespace, world);
  const fault = filterFault(trigger) ?? concurrencyFault(trigger);

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
  const status: Status = { kind: 'Trigger', namespace, name, conditions };
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
  };
  return { route, status, fault };
}

function filterFault(trigger: Trigger): PlanFault | undefined {
  try {
    compileTriggerFilter(trigger.spec);
    return undefined;
  } catch (error) {
    if (!(error instanceof FilterFault)) throw error;
    const { path, expected, got, message } = error;
    // The message begins with the path, which stands beside it here.
    const text = message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message;
    return { ...complaint(`spec.${path}`, expected, got), message: text, key: keyOf(trigger) };
  }
}

function concurrencyFault(trigger: Trigger): PlanFault | undefined {
  const said = trigger.metadata.annotations?.[CONCURRENCY_ANNOTATION];
  if (said === undefined || isConcurrency(said)) return undefined;
  const path = `metadata.annotations[${JSON.stringify(CONCURRENCY_ANNOTATION)}]`;
  return {
    ...complaint(path, `an integer from 1 to ${MOST_CONCURRENCY}, as text`, JSON.stringify(said)),
    key: keyOf(trigger),
  };
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
