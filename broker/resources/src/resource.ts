import type { Metadata } from './metadata.ts';

/** What is said: a kind, a name and what is wanted. Defaults are applied and the whole of it is frozen. */
export interface Resource<Kind extends string, Spec> {
  apiVersion: string;
  kind: Kind;
  metadata: Metadata;
  spec: Spec;
}

/** What tells a resource from every other: `Trigger/default/urgent` (kind, namespace, name). */
export function keyOf(resource: { kind: string; metadata: { name: string; namespace: string } }): string {
  return `${resource.kind}/${resource.metadata.namespace}/${resource.metadata.name}`;
}
