import type { KubernetesObject, ObjectKey } from '../objects/object.ts';
import type { ObjectStore } from '../objects/store.ts';
import type { Registry } from '../registry/registry.ts';
import type { Stored } from './collection.ts';

/**
 * The objects that the deletion of the one at `root` may concern: of a Namespace all that are in it, else those that
 * belong to something or are being deleted. Few, as a rule, where there are many.
 */
export function* concernedBy(
  root: ObjectKey,
  { store, registry }: { readonly store: ObjectStore; readonly registry: Registry },
): Generator<Stored> {
  const isNamespace = root.group === '' && root.kind === 'Namespace';
  for (const { group, kind } of registry.kinds) {
    for (const object of store.list({ group, kind }).items) {
      const { name, namespace = '' } = object.metadata;
      const isRoot = name === root.name && namespace === root.namespace && kind === root.kind && group === root.group;
      const isWithin = isNamespace && namespace === root.name;
      if (isRoot || isWithin || isEntangled(object)) yield { key: { group, kind, namespace, name }, object };
    }
  }
}

function isEntangled({ metadata }: KubernetesObject): boolean {
  return metadata.deletionTimestamp !== undefined || (metadata.ownerReferences?.length ?? 0) > 0;
}
