import { Type } from 'typebox';
import type { Static } from 'typebox';
import { immutableFields } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { notRunRule } from './not-run.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';

const Count = Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, expected: 'an integer >= 1' }));

const SpecSchema = Fields(
  {
    topic: Text({ expected: 'the name of a topic' }),
    bootstrapServers: Type.Array(Text(), { minItems: 1, expected: 'a list of at least one host:port' }),
    /** With both of these the topic is made; else it must be there. */
    numPartitions: Count,
    replicationFactor: Count,
    contentMode: Type.Enum(['binary', 'structured'], { default: 'binary' }),
    auth: Type.Optional(
      Fields({
        secret: Type.Optional(
          Fields({ ref: Type.Optional(Fields({ name: Text({ expected: 'the name of a Secret' }) })) }),
        ),
      }),
    ),
  },
  { expected: 'an object with topic and bootstrapServers' },
);

/** What a {@link KafkaSink} says. */
export type KafkaSinkSpec = Static<typeof SpecSchema>;

/** Writes events to a Kafka topic (eventing.knative.dev/v1alpha1). */
export type KafkaSink = Resource<'KafkaSink', KafkaSinkSpec>;

const KEPT = ['topic', 'numPartitions', 'replicationFactor'] as const;

/** The kind KafkaSink. */
export const kafkaSinkKind: KindDefinition<KafkaSink> = {
  kind: 'KafkaSink',
  apiVersions: ['eventing.knative.dev/v1alpha1'],
  schema: resourceSchema('KafkaSink', SpecSchema, { rule: notRunRule }),
  immutable: ({ spec: before }, { spec: after }) => immutableFields(before, after, KEPT, 'Immutable field updated'),
};
