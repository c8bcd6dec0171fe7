import type { KubernetesObject, ObjectDraft, ObjectKey } from './object.ts';
import type { Change, ObjectStore, WatchEvent } from './store.ts';

/** What tests of stores write, and how they say it briefly. */

export const TRIGGERS = { group: 'eventing.knative.dev', kind: 'Trigger' };
export const SECRETS = { group: '', kind: 'Secret' };

export function triggerKey(name: string, namespace = 'default'): ObjectKey {
  return { ...TRIGGERS, namespace, name };
}

export function secretKey(name: string): ObjectKey {
  return { ...SECRETS, namespace: 'default', name };
}

/** An object whose content is `spec`. */
export function draft(spec: unknown = {}, metadata: ObjectDraft['metadata'] = {}): ObjectDraft {
  return { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata, spec };
}

export function create(key: ObjectKey, spec: unknown = {}): Change {
  return { kind: 'put', key, object: draft(spec), expected: undefined };
}

export function update(key: ObjectKey, expected: string, spec: unknown): Change {
  return { kind: 'put', key, object: draft(spec), expected };
}

export function remove(key: ObjectKey, expected: string): Change {
  return { kind: 'remove', key, expected };
}

/** Makes one change. */
export async function change(store: ObjectStore, one: Change): Promise<KubernetesObject> {
  const [object] = await store.write([one]);
  return object!;
}

/** `ADDED default/a@1`: what became of what, and its version. */
export function shown({ type, key, object }: WatchEvent): string {
  return `${type} ${key.namespace}/${key.name}@${object.metadata.resourceVersion}`;
}

/** What a watch of all triggers tells after a version. */
export function eventsAfter(store: ObjectStore, after: string): WatchEvent[] {
  const events: WatchEvent[] = [];
  store.watch(TRIGGERS, undefined, after, { event: (event) => events.push(event) })();
  return events;
}
