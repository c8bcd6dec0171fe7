import { Type } from 'typebox';
import type { Static } from 'typebox';
import { ChannelTemplateSchema, completeChannelTemplate } from './channel-template.ts';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import type { DeliverySpec } from './delivery.ts';
import { completeDestination, DestinationSchema } from './destination.ts';
import type { Destination } from './destination.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';

const StepSchema = Type.Unsafe<Destination & { delivery?: DeliverySpec }>({
  ...DestinationSchema,
  properties: { ...DestinationSchema.properties, delivery: Type.Optional(DeliverySchema) },
  expected: 'a step: an object with ref or uri, and delivery',
});

const SpecSchema = Fields(
  {
    steps: Type.Array(StepSchema, { minItems: 1, expected: 'a list of at least one step' }),
    channelTemplate: ChannelTemplateSchema,
    /** Where the answer of the last step goes. */
    reply: Type.Optional(DestinationSchema),
  },
  { expected: 'an object with steps' },
);

/** What a {@link Sequence} says. */
export type SequenceSpec = Static<typeof SpecSchema>;

/** Steps that an event goes through one after the other, each with the answer of the one before (flows.knative.dev/v1). */
export type Sequence = Resource<'Sequence', SequenceSpec>;

/** The kind Sequence. */
export const sequenceKind: KindDefinition<Sequence> = {
  kind: 'Sequence',
  apiVersions: ['flows.knative.dev/v1'],
  schema: Fields({
    apiVersion: Type.String(),
    kind: Type.Literal('Sequence'),
    metadata: MetadataSchema,
    spec: SpecSchema,
    status: Type.Optional(Type.Unknown()),
  }),
  complete({ metadata, spec }) {
    for (const step of spec.steps) {
      completeDestination(step, metadata.namespace);
      completeDelivery(step.delivery, metadata.namespace);
    }
    completeDestination(spec.reply, metadata.namespace);
    completeChannelTemplate(spec.channelTemplate, metadata.namespace);
  },
};
