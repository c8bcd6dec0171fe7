import type { TSchema } from 'typebox';
import type { AnyResource } from './any-resource.ts';
import { apiServerSourceKind } from './api-server-source.ts';
import { brokerKind } from './broker.ts';
import { channelKind } from './channel.ts';
import { choiceKind } from './choice.ts';
import { configMapKind } from './config-map.ts';
import { containerSourceKind } from './container-source.ts';
import { eventPolicyKind } from './event-policy.ts';
import { eventTransformKind } from './event-transform.ts';
import { eventTypeKind } from './event-type.ts';
import { inMemoryChannelKind } from './in-memory-channel.ts';
import { integrationSinkKind } from './integration-sink.ts';
import { integrationSourceKind } from './integration-source.ts';
import { jobSinkKind } from './job-sink.ts';
import { kafkaChannelKind } from './kafka-channel.ts';
import { kafkaSinkKind } from './kafka-sink.ts';
import { kafkaSourceKind } from './kafka-source.ts';
import type { KindDefinition } from './kind.ts';
import { mapKind } from './map.ts';
import { parallelKind } from './parallel.ts';
import { pingSourceKind } from './ping-source.ts';
import { requestReplyKind } from './request-reply.ts';
import { inputSchema } from './schema.ts';
import { secretKind } from './secret.ts';
import { sequenceKind } from './sequence.ts';
import { serviceKind } from './service.ts';
import { sinkBindingKind } from './sink-binding.ts';
import { subscriptionKind } from './subscription.ts';
import { triggerKind } from './trigger.ts';
import { webhookSourceKind } from './webhook-source.ts';

/** The name of a kind. */
export type KindName = AnyResource['kind'];

/** Every kind that can be said, by name. */
export const KINDS: Readonly<Record<KindName, KindDefinition>> = Object.freeze({
  Broker: brokerKind,
  Trigger: triggerKind,
  Service: serviceKind,
  KafkaSource: kafkaSourceKind,
  Channel: channelKind,
  InMemoryChannel: inMemoryChannelKind,
  KafkaChannel: kafkaChannelKind,
  Subscription: subscriptionKind,
  Sequence: sequenceKind,
  Parallel: parallelKind,
  Choice: choiceKind,
  Map: mapKind,
  EventTransform: eventTransformKind,
  EventPolicy: eventPolicyKind,
  RequestReply: requestReplyKind,
  EventType: eventTypeKind,
  WebhookSource: webhookSourceKind,
  ApiServerSource: apiServerSourceKind,
  PingSource: pingSourceKind,
  ContainerSource: containerSourceKind,
  SinkBinding: sinkBindingKind,
  IntegrationSource: integrationSourceKind,
  IntegrationSink: integrationSinkKind,
  JobSink: jobSinkKind,
  KafkaSink: kafkaSinkKind,
  Secret: secretKind,
  ConfigMap: configMapKind,
});

/** True for the name of a kind that can be said. */
export function isKind(name: unknown): name is KindName {
  return typeof name === 'string' && Object.hasOwn(KINDS, name);
}

/**
 * The JSON Schema (draft 2020-12 vocabulary) of what may be written for the kind: a fresh object of plain JSON, with the
 * defaults in it. Our keywords `expected` and `defaulted` are annotations. Rules between fields are not in it.
 */
export function schemaOf(kind: KindName): TSchema {
  const { schema, apiVersions } = KINDS[kind];
  const plain = JSON.parse(JSON.stringify(inputSchema(schema))) as TSchema & { properties: Record<string, unknown> };
  plain.properties['apiVersion'] = { type: 'string', enum: [...apiVersions] };
  return plain;
}
