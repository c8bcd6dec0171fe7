import { keyOf } from '@millrace/resources/resource';
import { parsePeriod } from '@millrace/resources/duration';
import type { RequestReply } from '@millrace/resources/request-reply';

import { conditionsOf } from './conditions.ts';
import { deliveryOf } from './delivery.ts';
import type { RequestReplyDoor, Route, Status } from './plan.ts';
import type { World } from './world.ts';

const CONDITIONS = ['TriggersReady', 'Addressable', 'EventPoliciesReady', 'BrokerReady'];

/** A RequestReply is a door into its broker's topic, and a route from there to whoever waits at the door. */
export function planRequestReply(
  requestReply: RequestReply,
  world: World,
  dataUrl: string,
): { door: RequestReplyDoor | undefined; route: Route | undefined; status: Status } {
  const { metadata, spec } = requestReply;
  const { namespace, name } = metadata;
  const key = keyOf(requestReply);
  const { brokerRef, correlationAttribute, replyAttribute } = spec;
  const topic = world.topic({ kind: 'Broker', namespace, name: brokerRef.name });
  const path = `/request-replies/${namespace}/${name}`;
  const trouble =
    topic === undefined
      ? { reason: 'BrokerDoesNotExist', message: `the Broker ${namespace}/${brokerRef.name} is not declared` }
      : undefined;
  const status: Status = {
    kind: 'RequestReply',
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { BrokerReady: trouble }),
    url: dataUrl + path,
    details: { desiredReplicas: 1, readyReplicas: 1 },
  };
  if (topic === undefined) return { door: undefined, route: undefined, status };
  const door: RequestReplyDoor = {
    name: `${namespace}/${name}`,
    key,
    path,
    host: `${name}-request-reply.${namespace}`,
    topic,
    correlationAttribute,
    replyAttribute,
    timeoutMs: parsePeriod(spec.timeout) ?? 0,
  };
  const route: Route = {
    name: `requestreply/${namespace}/${name}`,
    key,
    sinkCondition: 'TriggersReady',
    namespace,
    topic,
    filter: { filters: [{ cesql: `EXISTS ${replyAttribute}` }] },
    target: { kind: 'waiter', requestReply: door.name },
    replyTopic: undefined,
    deadLetter: undefined,
    delivery: deliveryOf(spec.delivery, { ordered: false }),
    // A reply is given back as it came.
    manner: 'channel',
  };
  return { door, route, status };
}
