import type { KubernetesObject } from '@millrace/apiserver/objects/object';

/** The object, or the list of objects, without the notes on who has set which fields. */
export function withoutManagedFields(value: unknown): unknown {
  const { items, metadata, ...rest } = value as { items?: readonly unknown[]; metadata: KubernetesObject['metadata'] };
  if (Array.isArray(items)) return { ...rest, metadata, items: items.map(withoutManagedFields) };
  const { managedFields: _, ...shown } = metadata;
  return { ...rest, metadata: shown };
}

/** What a person would have written: without who set what, when and how often, and without how it is. */
export function withoutHistory(object: KubernetesObject): Record<string, unknown> {
  const {
    managedFields: _fields,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _time,
    uid: _uid,
    ...metadata
  } = object.metadata;
  const { status: _status, ...rest } = object as Record<string, unknown>;
  return { ...rest, metadata };
}
