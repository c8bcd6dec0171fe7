import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { completeDestination, DestinationSchema, ReferenceSchema } from './destination.ts';
import type { Reference } from './destination.ts';
import { complaint, show } from './fault.ts';
import { immutableSpec } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import { join } from './path.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import type { Rule } from './schema.ts';

const apiVersionRule: Rule<Record<string, unknown>> = ({ apiVersion }, path, tell) => {
  if (apiVersion !== undefined) return;
  const at = join(path, 'apiVersion');
  tell.fault(complaint(at, 'the apiVersion of the channel', 'nothing', { text: `missing field(s): ${at}` }));
};

const SpecSchema = Fields(
  {
    channel: Type.Unsafe<Reference & { apiVersion: string }>({ ...ReferenceSchema, rule: apiVersionRule }),
    subscriber: DestinationSchema,
    /** Where answers go; without it they are discarded. */
    reply: Type.Optional(DestinationSchema),
    /** In place of the channel's, as a whole but for the dead letter sink. */
    delivery: Type.Optional(DeliverySchema),
  },
  { expected: 'an object with channel and subscriber' },
);

/** What a {@link Subscription} says. */
export type SubscriptionSpec = Static<typeof SpecSchema>;

/** Events of a channel to a subscriber, whose answers go on (messaging.knative.dev/v1). */
export type Subscription = Resource<'Subscription', SubscriptionSpec>;

// As the schema calls it: nothing inside is certain.
type Draft = { metadata?: { namespace?: unknown }; spec?: { channel?: { namespace?: unknown } } };

const namespaceRule: Rule<Draft> = ({ metadata, spec }, _path, tell) => {
  const namespace = spec?.channel?.namespace;
  if (namespace === undefined || namespace === (metadata?.namespace ?? 'default')) return;
  const at = 'spec.channel.namespace';
  const text = `must not set the field(s): ${at}`;
  tell.fault(complaint(at, `no namespace, or the subscription's own`, show(at, namespace), { text }));
};

/** The kind Subscription. */
export const subscriptionKind: KindDefinition<Subscription> = {
  kind: 'Subscription',
  apiVersions: ['messaging.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Subscription'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: namespaceRule },
  ),
  complete({ metadata, spec }) {
    spec.channel.namespace ??= metadata.namespace;
    completeDestination(spec.subscriber, metadata.namespace);
    completeDestination(spec.reply, metadata.namespace);
    completeDelivery(spec.delivery, metadata.namespace);
  },
  immutable: (before, after) => immutableSpec({ channel: before.spec.channel }, { channel: after.spec.channel }),
};
