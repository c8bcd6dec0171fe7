import type { Broker } from './broker.ts';
import type { ConfigMap } from './config-map.ts';
import type { KafkaSource } from './kafka-source.ts';
import type { Secret } from './secret.ts';
import type { Service } from './service.ts';
import type { Trigger } from './trigger.ts';
import type { WebhookSource } from './webhook-source.ts';

/** Every kind that can be said. */
export type AnyResource = Broker | Trigger | Service | KafkaSource | WebhookSource | Secret | ConfigMap;
