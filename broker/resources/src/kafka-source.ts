import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, SourceDeliverySchema } from './delivery.ts';
import type { DeliverySpec } from './delivery.ts';
import { completeDestination } from './destination.ts';
import { complaint, show } from './fault.ts';
import { immutableSpec } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';
import { FromSecretSchema } from './secret-key.ts';
import { SOURCE } from './source-fields.ts';

/** The label that says how record keys are read. */
export const KEY_TYPE = 'kafkasources.sources.knative.dev/key-type';
const KEY_TYPES = ['string', 'int', 'float', 'byte-array'] as const;
/** How the keys of records are read. */
export type KeyType = (typeof KEY_TYPES)[number];

/** How a KafkaSource delivers that does not say it (as Knative's). */
export const KAFKA_SOURCE_DELIVERY: Readonly<Omit<DeliverySpec, 'format'>> = Object.freeze({
  retry: 10,
  backoffPolicy: 'exponential',
  backoffDelay: 'PT0.3S',
  timeout: 'PT600S',
});

const NetSchema = Fields({
  sasl: Type.Optional(
    Fields({
      enable: Type.Optional(Type.Boolean()),
      /** The mechanism: PLAIN (the default), SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER. */
      type: Type.Optional(FromSecretSchema),
      user: Type.Optional(FromSecretSchema),
      password: Type.Optional(FromSecretSchema),
      tokenProvider: Type.Optional(FromSecretSchema),
      roleARN: Type.Optional(FromSecretSchema),
    }),
  ),
  tls: Type.Optional(
    Fields({
      enable: Type.Optional(Type.Boolean()),
      /** Client certificate and key, and the authority that signed the server's, all PEM. */
      cert: Type.Optional(FromSecretSchema),
      key: Type.Optional(FromSecretSchema),
      caCert: Type.Optional(FromSecretSchema),
    }),
  ),
});

/** How to reach a Kafka that asks who is there: SASL, TLS, or both. */
export type KafkaNet = Static<typeof NetSchema>;

const SpecSchema = Fields(
  {
    bootstrapServers: Type.Array(Text(), { minItems: 1, expected: 'a list of at least one host:port' }),
    topics: Type.Array(Text(), { minItems: 1, expected: 'a list of at least one topic' }),
    // Knative draws a random one and stores it. Read from files, a random one would lose the position at every start.
    consumerGroup: Text({ defaulted: 'knative-kafka-source-<namespace>-<name>' }),
    consumers: Type.Integer({ minimum: 0, default: 1, expected: 'an integer >= 0' }),
    /** Where a new consumer group begins. */
    initialOffset: Type.Enum(['latest', 'earliest'], { default: 'latest' }),
    /** `ordered`: one record after the other for each partition. */
    ordering: Type.Enum(['ordered', 'unordered'], { default: 'ordered' }),
    delivery: Type.Unsafe<Static<typeof SourceDeliverySchema>>({
      ...SourceDeliverySchema,
      defaulted: 'retry 10, backoffPolicy exponential, backoffDelay PT0.3S, timeout PT600S',
    }),
    net: Type.Optional(NetSchema),
    ...SOURCE,
  },
  { expected: 'an object with bootstrapServers, topics and sink' },
);

/** What a {@link KafkaSource} says; the fields are those of Knative. */
export type KafkaSourceSpec = Static<typeof SpecSchema>;

/** Records of Kafka topics as events to a sink (sources.knative.dev/v1 and v1beta1, which mean the same). */
export type KafkaSource = Resource<'KafkaSource', KafkaSourceSpec>;

const keyTypeRule: Rule<{ metadata?: { labels?: Record<string, unknown> } }> = ({ metadata }, _path, tell) => {
  const type = metadata?.labels?.[KEY_TYPE];
  if (type === undefined || KEY_TYPES.includes(type as KeyType)) return;
  const at = `metadata.labels[${JSON.stringify(KEY_TYPE)}]`;
  tell.fault(complaint(at, `one of ${KEY_TYPES.join(', ')}`, show(at, type)));
};

/** How the keys of the records are read; as text unless the label says otherwise. */
export function keyTypeOf(source: KafkaSource): KeyType {
  return (source.metadata.labels?.[KEY_TYPE] as KeyType | undefined) ?? 'string';
}

/** The kind KafkaSource. */
export const kafkaSourceKind: KindDefinition<KafkaSource> = {
  kind: 'KafkaSource',
  apiVersions: ['sources.knative.dev/v1', 'sources.knative.dev/v1beta1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('KafkaSource'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: keyTypeRule },
  ),
  complete({ metadata, spec }) {
    spec.consumerGroup ??= `knative-kafka-source-${metadata.namespace}-${metadata.name}`;
    spec.delivery ??= { ...KAFKA_SOURCE_DELIVERY };
    completeDelivery(spec.delivery, metadata.namespace);
    completeDestination(spec.sink, metadata.namespace);
  },
  immutable: ({ spec: before }, { spec: after }) =>
    immutableSpec({ consumerGroup: before.consumerGroup }, { consumerGroup: after.consumerGroup }),
};
