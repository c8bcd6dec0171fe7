import { Type } from 'typebox';
import type { Static } from 'typebox';
import { DeliverySchema } from './delivery.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import { channelRule, completeSubscribable, SubscribersSchema } from './subscribable.ts';

const SpecSchema = Fields(
  { delivery: Type.Optional(DeliverySchema), subscribers: SubscribersSchema },
  { default: {}, expected: 'an object' },
);

/** What an {@link InMemoryChannel} says. */
export type InMemoryChannelSpec = Static<typeof SpecSchema>;

/** A place for events that Subscriptions read (messaging.knative.dev/v1). Here it is as durable as every topic of the log. */
export type InMemoryChannel = Resource<'InMemoryChannel', InMemoryChannelSpec>;

/** The kind InMemoryChannel. */
export const inMemoryChannelKind: KindDefinition<InMemoryChannel> = {
  kind: 'InMemoryChannel',
  apiVersions: ['messaging.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('InMemoryChannel'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: channelRule },
  ),
  complete: completeSubscribable,
};
