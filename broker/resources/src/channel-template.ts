import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Fields, Open, Text } from './schema.ts';

/** What a channel is that says nothing of it (Knative's `default-ch-webhook`). */
const DEFAULT_TEMPLATE = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' };

/** The kind of the channels that are made for a Channel or a flow, and their spec. */
export const ChannelTemplateSchema = Fields(
  { apiVersion: Text(), kind: Text(), spec: Type.Optional(Open({ expected: 'the spec of the channels' })) },
  { default: DEFAULT_TEMPLATE, expected: 'an object with apiVersion and kind of a channel' },
);

/** What a {@link ChannelTemplateSchema} holds. */
export type ChannelTemplate = Static<typeof ChannelTemplateSchema>;
