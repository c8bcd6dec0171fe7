import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import { groupOf } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import { apiVersionOf } from '@millrace/apiserver/registry/kind';
import type { Registry } from '@millrace/apiserver/registry/registry';
import type { WatchedObject, WatchedObjects } from '@millrace/sources/api-server/objects';

/** The objects that are declared in this process, as sources watch them. `address` is where their API is. */
export function watchedObjects(store: ObjectStore, registry: Registry, address: Promise<string>): WatchedObjects {
  return {
    address: () => address,
    kindOf(apiVersion, kind) {
      const served = registry.ofType({ group: groupOf(apiVersion), kind });
      if (served === undefined) return undefined;
      if (!served.versions.some(({ name }) => apiVersionOf(served, name) === apiVersion)) return undefined;
      return { apiVersion, kind, plural: served.plural, namespaced: served.namespaced };
    },
    labelsOf: (name) => store.get({ group: '', kind: 'Namespace', namespace: '', name })?.metadata.labels,
    watch({ apiVersion, kind }, listener) {
      // All versions of a kind have the same fields, and it is stored in one of them.
      const seen = (object: KubernetesObject): WatchedObject => ({ ...object, apiVersion });
      return store.watch({ group: groupOf(apiVersion), kind }, undefined, store.resourceVersion, {
        event: ({ type, object, previous }) =>
          listener({ type, object: seen(object), previous: previous && seen(previous) }),
      });
    },
  };
}
