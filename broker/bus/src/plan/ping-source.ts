import { BROKER_DELIVERY } from '@millrace/resources/broker';
import type { PingSource } from '@millrace/resources/ping-source';
import { keyOf } from '@millrace/resources/resource';

import { addressOf } from './address.ts';
import { conditionsOf } from './conditions.ts';
import { deliveryOf } from './delivery.ts';
import type { PingFeed, Status } from './plan.ts';
import { planSink } from './sources.ts';
import type { PlannedSource } from './sources.ts';
import type { World } from './world.ts';

const CONDITIONS = ['SinkProvided', 'Deployed', 'OIDCIdentityCreated'];

/** A PingSource is a clock that fills its sink's topic, or one of its own. */
export function planPingSource(source: PingSource, world: World, dataUrl: string): PlannedSource {
  const { metadata, spec } = source;
  const { namespace, name } = metadata;
  const planned = planSink(source, spec.sink, deliveryOf(BROKER_DELIVERY, { ordered: false }), world);
  const status: Status = {
    kind: source.kind,
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { SinkProvided: planned.trouble }),
    details: {
      sinkUri: addressOf(spec.sink, namespace, world, dataUrl),
      ceAttributes: [
        { type: 'dev.knative.sources.ping', source: `/apis/v1/namespaces/${namespace}/pingsources/${name}` },
      ],
    },
  };
  if (planned.trouble !== undefined) return { feed: undefined, route: undefined, status };
  const { schedule, timezone, contentType, data, dataBase64 } = spec;
  const options: PingFeed = {
    namespace,
    name,
    schedule,
    ...(timezone === undefined ? {} : { timezone }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(data === undefined ? {} : { data }),
    ...(dataBase64 === undefined ? {} : { dataBase64 }),
    extensions: spec.ceOverrides?.extensions ?? {},
  };
  return {
    feed: { name: planned.name, key: keyOf(source), topic: planned.topic, kind: source.kind, options },
    route: planned.route,
    status,
  };
}
