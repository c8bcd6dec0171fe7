import { AlreadyExists } from '../objects/errors.ts';
import type { ObjectDraft, ObjectKey } from '../objects/object.ts';
import type { ObjectStore } from '../objects/store.ts';

/** The key of a Namespace. */
export function namespaceKey(name: string): ObjectKey {
  return { group: '', kind: 'Namespace', namespace: '', name };
}

/** A Namespace as Kubernetes makes it of what was asked for: in use, and labelled with its name. */
export function activeNamespace(draft: ObjectDraft): ObjectDraft {
  const { name = '', labels } = draft.metadata;
  return {
    ...draft,
    metadata: { ...draft.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } },
    status: { phase: 'Active' },
  };
}

/** Resolves when there is a Namespace of each name: objects are only taken in namespaces that there are. */
export async function ensureNamespaces(store: ObjectStore, names: Iterable<string>): Promise<void> {
  for (const name of names) {
    const key = namespaceKey(name);
    if (store.get(key) !== undefined) continue;
    const object = activeNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, generation: 1 } });
    try {
      await store.write([{ kind: 'put', key, object, expected: undefined }]);
    } catch (error) {
      // Somebody else has made it.
      if (!(error instanceof AlreadyExists)) throw error;
    }
  }
}
