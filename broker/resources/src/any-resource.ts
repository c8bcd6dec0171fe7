import type { ApiServerSource } from './api-server-source.ts';
import type { Broker } from './broker.ts';
import type { Channel } from './channel.ts';
import type { Choice } from './choice.ts';
import type { ConfigMap } from './config-map.ts';
import type { ContainerSource } from './container-source.ts';
import type { EventPolicy } from './event-policy.ts';
import type { EventTransform } from './event-transform.ts';
import type { EventType } from './event-type.ts';
import type { InMemoryChannel } from './in-memory-channel.ts';
import type { IntegrationSink } from './integration-sink.ts';
import type { IntegrationSource } from './integration-source.ts';
import type { JobSink } from './job-sink.ts';
import type { KafkaChannel } from './kafka-channel.ts';
import type { KafkaSink } from './kafka-sink.ts';
import type { KafkaSource } from './kafka-source.ts';
import type { MapFlow } from './map.ts';
import type { Parallel } from './parallel.ts';
import type { PingSource } from './ping-source.ts';
import type { RequestReply } from './request-reply.ts';
import type { Secret } from './secret.ts';
import type { Sequence } from './sequence.ts';
import type { Service } from './service.ts';
import type { SinkBinding } from './sink-binding.ts';
import type { Subscription } from './subscription.ts';
import type { Trigger } from './trigger.ts';
import type { WebhookSource } from './webhook-source.ts';

/** Every kind that can be said. */
export type AnyResource =
  | Broker
  | Trigger
  | Service
  | KafkaSource
  | WebhookSource
  | Secret
  | ConfigMap
  | Channel
  | InMemoryChannel
  | KafkaChannel
  | Subscription
  | Sequence
  | Parallel
  | Choice
  | MapFlow
  | EventTransform
  | EventPolicy
  | RequestReply
  | EventType
  | ApiServerSource
  | PingSource
  | ContainerSource
  | SinkBinding
  | IntegrationSource
  | IntegrationSink
  | JobSink
  | KafkaSink;
