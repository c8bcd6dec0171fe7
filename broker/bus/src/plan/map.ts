import { parsePeriod } from '@millrace/resources/duration';
import { parseItemsPath } from '@millrace/resources/items-path';
import type { MapFlow } from '@millrace/resources/map';
import { keyOf } from '@millrace/resources/resource';

import { conditionsOf } from './conditions.ts';
import { flowInlet } from './flow-inlet.ts';
import { concurrencyFault, planPart, planResults } from './parts.ts';
import type { Planned, Whole } from './parts.ts';
import { flowName, itemsTopic, repliesTopic, resultsTopic, stepNames } from './topics.ts';
import { waitingRoute } from './waiting-route.ts';
import type { World } from './world.ts';

const CONDITIONS = ['SubscriberResolved', 'Addressable', 'EventPoliciesReady'];

/** Items of one event at once when `maxConcurrency` does not say it. */
const ITEMS_AT_ONCE = 100;

/** A Map is a topic, a route that makes events of the items of a list into a second topic, and a route that takes them there. */
export function planMap(map: MapFlow, world: World, dataUrl: string): Planned {
  const { metadata, spec } = map;
  const { namespace, name } = metadata;
  const key = keyOf(map);
  const flow = flowName(map);
  const results = resultsTopic(flow);
  const whole: Whole = { key, metadata, condition: 'SubscriberResolved', manner: 'flow' };
  const end = planResults(spec.reply, results, whole, world);
  const inlet = flowInlet(map, flow);
  const [subscriberName = ''] = stepNames([spec.subscriber]);
  const { subscriber, delivery } = spec;
  const items = planPart(
    {
      name: itemsTopic(flow),
      topic: itemsTopic(flow),
      step: { flow, name: subscriberName },
      subscriber,
      delivery,
      replyTopic: repliesTopic(flow),
    },
    whole,
    world,
  );
  const target = {
    kind: 'map',
    itemsPath: parseItemsPath(spec.itemsPath) ?? [],
    items: items.route.topic,
    concurrency: spec.maxConcurrency === 0 ? ITEMS_AT_ONCE : spec.maxConcurrency,
    toleratedFailures: spec.toleratedFailures,
    deadlineMs: parsePeriod(spec.deadline) ?? 0,
  } as const;
  const route = waitingRoute(
    { name: flow, topic: flow, step: { flow, name: 'map' }, target, replyTopic: results },
    whole,
  );
  const conditions = conditionsOf(CONDITIONS, { SubscriberResolved: items.trouble ?? end.trouble });
  const fault = concurrencyFault(metadata, key);
  return {
    inlets: [inlet],
    routes: [route, items.route, ...end.routes],
    statuses: new Map([[key, { kind: 'Map', namespace, name, conditions, url: dataUrl + inlet.path }]]),
    faults: fault === undefined ? [] : [fault],
  };
}
