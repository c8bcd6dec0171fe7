import type { Broker } from './broker.ts';
import type { ConfigMap } from './config-map.ts';
import type { KafkaSource } from './kafka-source.ts';
import type { Metadata } from './metadata.ts';
import type { Secret } from './secret.ts';
import type { Service } from './service.ts';
import type { Trigger } from './trigger.ts';
import type { WebhookSource } from './webhook-source.ts';

/** What is said: a kind, a name and what is wanted. Defaults are applied and the whole of it is frozen. */
export interface Resource<Kind extends string, Spec> {
  apiVersion: string;
  kind: Kind;
  metadata: Metadata;
  spec: Spec;
}

/** Every kind that can be said. */
export type AnyResource = Broker | Trigger | Service | KafkaSource | WebhookSource | Secret | ConfigMap;

/** What tells a resource from every other: `Trigger/default/urgent` (kind, namespace, name). */
export function keyOf(resource: { kind: string; metadata: { name: string; namespace: string } }): string {
  return `${resource.kind}/${resource.metadata.namespace}/${resource.metadata.name}`;
}
