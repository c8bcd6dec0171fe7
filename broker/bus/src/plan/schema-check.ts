import { BROKER_DELIVERY } from '@millrace/resources/broker';
import type { Broker } from '@millrace/resources/broker';
import type { Channel } from '@millrace/resources/channel';
import { addressableOf } from '@millrace/resources/event-type';
import type { InMemoryChannel } from '@millrace/resources/in-memory-channel';
import type { KafkaChannel } from '@millrace/resources/kafka-channel';
import { keyOf } from '@millrace/resources/resource';
import { schemaValidationOf } from '@millrace/resources/schema-validation';

import type { EventSchema } from '../schema/event-check.ts';
import { deliveryOf } from './delivery.ts';
import type { Route, SchemaCheck } from './plan.ts';
import { resolve } from './resolve.ts';
import { mismatchesTopic } from './topics.ts';
import type { World } from './world.ts';

type Addressable = Broker | Channel | InMemoryChannel | KafkaChannel;

/**
 * The check of a broker or channel that asks for one. What does not match is refused, or enters a topic of its own:
 *
 *   event ─ matches ─▶ topic
 *        └ does not ─▶ mismatches ─ route ─ does not match now either ─▶ dead letter
 *                                        └ matches, when it is sent again ─▶ topic
 */
export function planSchemaCheck(
  of: Addressable,
  topic: string,
  world: World,
): { check: SchemaCheck | undefined; route: Route | undefined } {
  const how = schemaValidationOf(of.metadata);
  if (how === undefined) return { check: undefined, route: undefined };
  const schemas = schemasFor(of, world);
  if (how === 'reject') return { check: { topic, schemas, mismatches: undefined }, route: undefined };
  const mismatches = mismatchesTopic(topic);
  return { check: { topic, schemas, mismatches }, route: mismatchRoute(of, topic, mismatches, world) };
}

function schemasFor({ kind, metadata }: Addressable, { all }: World): EventSchema[] {
  const { namespace, name } = metadata;
  return all.flatMap(({ resource }): EventSchema[] => {
    if (resource.kind !== 'EventType' || resource.metadata.namespace !== namespace) return [];
    const { type, source, schema: dataschema, schemaData } = resource.spec;
    const about = addressableOf(resource);
    const isAbout =
      about === undefined || (about.kind === kind && about.name === name && about.namespace === namespace);
    if (schemaData === undefined || !isAbout) return [];
    return [{ type, source, dataschema, schema: schemaData }];
  });
}

function mismatchRoute(of: Addressable, topic: string, mismatches: string, world: World): Route {
  const { namespace } = of.metadata;
  const sink = of.spec.delivery?.deadLetterSink;
  const deadLetter = sink === undefined ? undefined : resolve(sink, namespace, world);
  return {
    name: mismatches,
    key: keyOf(of),
    sinkCondition: 'Addressable',
    namespace,
    topic: mismatches,
    filter: {},
    target: { kind: 'matching', topic },
    replyTopic: topic,
    deadLetter: deadLetter !== undefined && 'target' in deadLetter ? deadLetter.target : undefined,
    delivery: deliveryOf(BROKER_DELIVERY, { ordered: false }),
    manner: 'broker',
  };
}
