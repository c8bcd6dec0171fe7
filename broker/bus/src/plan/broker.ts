import type { Broker } from '@millrace/resources/broker';
import { keyOf } from '@millrace/resources/resource';

import { conditionsOf } from './conditions.ts';
import type { Inlet, Status } from './plan.ts';
import { resolve } from './resolve.ts';
import { brokerTopic } from './topics.ts';
import type { World } from './world.ts';

const CONDITIONS = [
  'IngressReady',
  'TriggerChannelReady',
  'FilterReady',
  'Addressable',
  'DeadLetterSinkResolved',
  'EventPoliciesReady',
];

/** A Broker is a topic with a door. */
export function planBroker(broker: Broker, world: World, dataUrl: string): { inlet: Inlet; status: Status } {
  const { metadata, spec } = broker;
  const { namespace, name } = metadata;
  const path = `/${namespace}/${name}`;
  const sink = spec.delivery?.deadLetterSink;
  const resolved = sink === undefined ? undefined : resolve(sink, namespace, world);
  const trouble = resolved !== undefined && 'trouble' in resolved ? resolved.trouble : undefined;
  return {
    inlet: { path, topic: brokerTopic(namespace, name), key: keyOf(broker) },
    status: {
      kind: 'Broker',
      namespace,
      name,
      conditions: conditionsOf(CONDITIONS, { DeadLetterSinkResolved: trouble }),
      url: dataUrl + path,
    },
  };
}
