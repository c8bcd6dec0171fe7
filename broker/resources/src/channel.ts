import { Type } from 'typebox';
import type { Static } from 'typebox';
import { ChannelTemplateSchema, completeChannelTemplate } from './channel-template.ts';
import { DeliverySchema } from './delivery.ts';
import { immutableSpec } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import { eventTypeAnnotationsRule } from './schema-validation.ts';
import { completeSubscribable, SubscribersSchema } from './subscribable.ts';

const SpecSchema = Fields(
  {
    channelTemplate: ChannelTemplateSchema,
    delivery: Type.Optional(DeliverySchema),
    subscribers: SubscribersSchema,
  },
  { default: {}, expected: 'an object' },
);

/** What a {@link Channel} says. */
export type ChannelSpec = Static<typeof SpecSchema>;

/** A place for events that Subscriptions read, of the kind that its template says (messaging.knative.dev/v1). */
export type Channel = Resource<'Channel', ChannelSpec>;

/** The kind Channel. */
export const channelKind: KindDefinition<Channel> = {
  kind: 'Channel',
  apiVersions: ['messaging.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Channel'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: eventTypeAnnotationsRule },
  ),
  complete(channel) {
    completeSubscribable(channel);
    completeChannelTemplate(channel.spec.channelTemplate, channel.metadata.namespace);
  },
  immutable: (before, after) => immutableSpec(before.spec, after.spec),
};
