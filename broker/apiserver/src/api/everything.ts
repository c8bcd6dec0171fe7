import type { ObjectStore } from '../objects/store.ts';
import type { Registry } from '../registry/registry.ts';
import type { Stored } from './collection.ts';

/** All objects of all kinds that are served. */
export function* everything({ store, registry }: { store: ObjectStore; registry: Registry }): Generator<Stored> {
  for (const { group, kind } of registry.kinds) {
    for (const object of store.list({ group, kind }).items) {
      const { name, namespace = '' } = object.metadata;
      yield { key: { group, kind, namespace, name }, object };
    }
  }
}
