import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import type { DeliverySpec } from './delivery.ts';
import { Fields, Text } from './schema.ts';

/** What a channel is that says nothing of it (as Knative ships its `default-ch-webhook`). */
const DEFAULT_TEMPLATE = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' };

// The rest is the business of the kind that the template names, which may be one that we do not know.
const TemplateSpecSchema = Type.Unsafe<{ delivery?: DeliverySpec } & Record<string, unknown>>({
  type: 'object',
  properties: { delivery: DeliverySchema },
  expected: 'an object: the spec of the channels',
});

/** The kind of the channels that are made for a Channel or a flow, and their spec. */
export const ChannelTemplateSchema = Fields(
  {
    apiVersion: Text({ expected: 'the apiVersion of a channel' }),
    kind: Text({ expected: 'the kind of a channel' }),
    spec: Type.Optional(TemplateSpecSchema),
  },
  { default: DEFAULT_TEMPLATE, expected: 'an object with apiVersion and kind of a channel' },
);

/** What a {@link ChannelTemplateSchema} holds. */
export type ChannelTemplate = Static<typeof ChannelTemplateSchema>;

/** Sets the namespace of the dead-letter sink of the channels, in place. */
export function completeChannelTemplate(template: ChannelTemplate, namespace: string): void {
  completeDelivery(template.spec?.delivery, namespace);
}
