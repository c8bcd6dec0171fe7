import { Type } from 'typebox';
import type { Static } from 'typebox';
import { DeliverySchema } from './delivery.ts';
import { periodRule } from './duration.ts';
import { immutableSpec } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import { channelRule, completeSubscribable, SubscribersSchema } from './subscribable.ts';

const SpecSchema = Fields(
  {
    numPartitions: Type.Integer({ minimum: 1, default: 1, expected: 'an integer >= 1' }),
    replicationFactor: Type.Integer({
      minimum: 1,
      maximum: 32_767,
      default: 1,
      expected: 'an integer from 1 to 32767',
    }),
    retentionDuration: Type.String({
      default: 'PT168H',
      rule: periodRule('zero'),
      expected: 'an ISO-8601 period such as "PT168H"',
    }),
    delivery: Type.Optional(DeliverySchema),
    subscribers: SubscribersSchema,
  },
  { default: {}, expected: 'an object' },
);

/** What a {@link KafkaChannel} says. */
export type KafkaChannelSpec = Static<typeof SpecSchema>;

/** A place for events that Subscriptions read (messaging.knative.dev/v1beta1 and v1). Its topic is one of the log. */
export type KafkaChannel = Resource<'KafkaChannel', KafkaChannelSpec>;

// What Kafka fixes when a topic is made.
function ofTopic({ numPartitions, replicationFactor, retentionDuration }: KafkaChannelSpec) {
  return { numPartitions, replicationFactor, retentionDuration };
}

/** The kind KafkaChannel. */
export const kafkaChannelKind: KindDefinition<KafkaChannel> = {
  kind: 'KafkaChannel',
  apiVersions: ['messaging.knative.dev/v1beta1', 'messaging.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('KafkaChannel'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: channelRule },
  ),
  complete: completeSubscribable,
  immutable: ({ spec: before }, { spec: after }) => immutableSpec(ofTopic(before), ofTopic(after)),
};
