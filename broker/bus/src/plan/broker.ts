import type { Broker } from '@millrace/resources/broker';

import { conditionsOf } from './conditions.ts';
import type { Inlet, Status } from './plan.ts';
import { brokerTopic, resolve } from './resolve.ts';
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
export function planBroker(
  { metadata, spec }: Broker,
  world: World,
  dataUrl: string,
): { inlet: Inlet; status: Status } {
  const { namespace, name } = metadata;
  const path = `/${namespace}/${name}`;
  const sink = spec.delivery?.deadLetterSink;
  const resolved = sink === undefined ? undefined : resolve(sink, namespace, world);
  const trouble = resolved !== undefined && 'trouble' in resolved ? resolved.trouble : undefined;
  return {
    inlet: { path, topic: brokerTopic(namespace, name), namespace, broker: name },
    status: {
      kind: 'Broker',
      namespace,
      name,
      conditions: conditionsOf(CONDITIONS, { DeadLetterSinkResolved: trouble }),
      url: dataUrl + path,
    },
  };
}
