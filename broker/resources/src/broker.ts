import { Type } from 'typebox';
import type { Static } from 'typebox';
import { immutableAnnotation, immutableSpec } from './immutable.ts';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import type { DeliverySpec } from './delivery.ts';
import { ReferenceSchema } from './destination.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import { eventTypeAnnotationsRule } from './schema-validation.ts';

/** Says whose a broker is. Every class is served when it is read from files; in a cluster only our own. */
export const BROKER_CLASS = 'eventing.knative.dev/broker.class';

/** Our own class, which a broker gets that names none. */
export const OUR_CLASS = 'Millrace';

/** How a broker delivers that does not say it: as Knative ships its `config-br-defaults`. */
export const BROKER_DELIVERY: Readonly<DeliverySpec> = Object.freeze({
  retry: 10,
  backoffPolicy: 'exponential',
  backoffDelay: 'PT0.2S',
});

const SpecSchema = Fields(
  {
    /** Where the configuration of another class's broker lies; kept, and not read by us. */
    config: Type.Optional(ReferenceSchema),
    delivery: Type.Unsafe<DeliverySpec>({
      ...DeliverySchema,
      defaulted: 'retry 10, backoffPolicy exponential, backoffDelay PT0.2S',
    }),
  },
  { default: {}, expected: 'an object' },
);

/** What a {@link Broker} says; the fields are those of Knative. */
export type BrokerSpec = Static<typeof SpecSchema>;

/** A place that takes events and offers them to Triggers (eventing.knative.dev/v1). */
export type Broker = Resource<'Broker', BrokerSpec>;

/** The kind Broker. */
export const brokerKind: KindDefinition<Broker> = {
  kind: 'Broker',
  apiVersions: ['eventing.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Broker'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: eventTypeAnnotationsRule },
  ),
  complete({ metadata, spec }) {
    metadata.annotations = { [BROKER_CLASS]: OUR_CLASS, ...metadata.annotations };
    // A delivery replaces the default as a whole; the two are not mixed.
    spec.delivery ??= { ...BROKER_DELIVERY };
    completeDelivery(spec.delivery, metadata.namespace);
    if (spec.config !== undefined) spec.config.namespace ??= metadata.namespace;
  },
  immutable: (before, after) => [
    ...immutableAnnotation(before, after, BROKER_CLASS),
    ...immutableSpec({ config: before.spec.config }, { config: after.spec.config }),
  ],
};
