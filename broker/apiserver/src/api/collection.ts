import type { Change } from '../objects/store.ts';
import { keyText } from '../objects/object.ts';
import type { KubernetesObject, ObjectKey } from '../objects/object.ts';

/** What becomes of the objects that belong to a deleted one (Kubernetes API: DeletionPropagation). */
export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** An object and where it is stored. */
export interface Stored {
  readonly key: ObjectKey;
  readonly object: KubernetesObject;
}

const FOREGROUND = 'foregroundDeletion';

/**
 * What has to be written when an object is deleted, all of it at once:
 *
 * - it goes, or is marked (`deletionTimestamp`) while it has finalizers;
 * - what belongs to nothing else goes with it; with Foreground before it, with Orphan not at all;
 * - a Namespace takes all that is in it along, and goes when nothing is left there.
 *
 * `objects` are all that there are; the one at `root` may be one that is being deleted and has just lost its last
 * finalizer. Owners that have never been here own nothing. Pure; `now` is RFC 3339.
 */
export function planDeletion(
  objects: Iterable<Stored>,
  root: ObjectKey,
  options: { readonly propagation: Propagation; readonly now: string },
): Change[] {
  const collection = new Collection(objects, options.now);
  collection.delete(keyText(root), options.propagation);
  collection.settle();
  return collection.changes();
}

class Collection {
  readonly #now: string;
  readonly #before = new Map<string, Stored>();
  readonly #objects = new Map<string, Stored>();
  readonly #byUid = new Map<string, string>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #inNamespace = new Map<string, Set<string>>();
  readonly #gone = new Set<string>();
  /** Whose turn may have come to go. */
  readonly #due: string[] = [];

  constructor(objects: Iterable<Stored>, now: string) {
    this.#now = now;
    for (const stored of objects) {
      const id = keyText(stored.key);
      this.#before.set(id, stored);
      this.#objects.set(id, stored);
      this.#byUid.set(stored.object.metadata.uid, id);
      for (const { uid } of stored.object.metadata.ownerReferences ?? []) add(this.#dependents, uid, id);
      if (stored.key.namespace !== '') add(this.#inNamespace, stored.key.namespace, id);
    }
  }

  delete(id: string, propagation: Propagation): void {
    const stored = this.#objects.get(id);
    if (stored === undefined) return;
    const { uid, deletionTimestamp = this.#now, finalizers = [], ...metadata } = stored.object.metadata;
    const waits = propagation === 'Foreground' && this.#blockers(uid).length > 0 && !finalizers.includes(FOREGROUND);
    const kept = waits ? [...finalizers, FOREGROUND] : finalizers;
    this.#put(stored, {
      ...stored.object,
      metadata: {
        ...metadata,
        uid,
        deletionTimestamp,
        deletionGracePeriodSeconds: 0,
        ...(kept.length > 0 && { finalizers: kept }),
      },
    });
    if (propagation === 'Orphan') for (const dependent of this.#dependents.get(uid) ?? []) this.#disown(dependent, uid);
    if (kept.includes(FOREGROUND)) this.#deleteAll(this.#dependents.get(uid), 'Foreground');
    if (isNamespace(stored)) this.#deleteAll(this.#inNamespace.get(stored.key.name), 'Background');
    this.#due.push(id);
  }

  /** Lets everything go that can. */
  settle(): void {
    for (let id = this.#due.pop(); id !== undefined; id = this.#due.pop()) {
      const stored = this.#objects.get(id);
      if (stored === undefined) continue;
      this.#endWaiting(stored);
      const { metadata } = this.#objects.get(id)!.object;
      if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) continue;
      if (isNamespace(stored) && (this.#inNamespace.get(stored.key.name)?.size ?? 0) > 0) continue;
      this.#remove(id, stored);
    }
  }

  changes(): Change[] {
    return [...this.#before].flatMap(([id, { key, object }]): Change[] => {
      const expected = object.metadata.resourceVersion;
      if (this.#gone.has(id)) return [{ kind: 'remove', key, expected }];
      const now = this.#objects.get(id)!.object;
      return now === object ? [] : [{ kind: 'put', key, object: now, expected }];
    });
  }

  #remove(id: string, { key, object }: Stored): void {
    this.#objects.delete(id);
    this.#gone.add(id);
    const { uid, ownerReferences = [] } = object.metadata;
    for (const dependent of this.#dependents.get(uid) ?? []) {
      if (!this.#hasOtherOwner(dependent, uid)) this.delete(dependent, 'Background');
      else this.#disown(dependent, uid);
    }
    for (const owner of ownerReferences) {
      this.#dependents.get(owner.uid)?.delete(id);
      const at = this.#byUid.get(owner.uid);
      if (at !== undefined) this.#due.push(at);
    }
    if (key.namespace === '') return;
    this.#inNamespace.get(key.namespace)?.delete(id);
    this.#due.push(keyText({ group: '', kind: 'Namespace', namespace: '', name: key.namespace }));
  }

  /** An owner that is deleted in the foreground waits no more when nothing blocks it. */
  #endWaiting(stored: Stored): void {
    const { object } = stored;
    const { finalizers = [], uid, ...metadata } = object.metadata;
    if (!finalizers.includes(FOREGROUND) || this.#blockers(uid).length > 0) return;
    const rest = finalizers.filter((finalizer) => finalizer !== FOREGROUND);
    this.#put(stored, { ...object, metadata: { ...metadata, uid, ...(rest.length > 0 && { finalizers: rest }) } });
  }

  #blockers(uid: string): string[] {
    return [...(this.#dependents.get(uid) ?? [])].filter((id) =>
      this.#objects
        .get(id)
        ?.object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    );
  }

  #hasOtherOwner(id: string, uid: string): boolean {
    const owners = this.#objects.get(id)?.object.metadata.ownerReferences ?? [];
    return owners.some((owner) => owner.uid !== uid);
  }

  #disown(id: string, uid: string): void {
    const stored = this.#objects.get(id);
    if (stored === undefined) return;
    const { ownerReferences = [], ...metadata } = stored.object.metadata;
    const others = ownerReferences.filter((owner) => owner.uid !== uid);
    this.#put(stored, {
      ...stored.object,
      metadata: { ...metadata, ...(others.length > 0 && { ownerReferences: others }) },
    });
    this.#dependents.get(uid)?.delete(id);
  }

  #deleteAll(ids: Iterable<string> | undefined, propagation: Propagation): void {
    for (const id of ids ?? []) {
      if (this.#objects.get(id)?.object.metadata.deletionTimestamp === undefined) this.delete(id, propagation);
    }
  }

  #put({ key }: Stored, object: KubernetesObject): void {
    const isGoing = key.kind === 'Namespace' && key.group === '' && object.metadata.deletionTimestamp !== undefined;
    const told = isGoing ? { ...object, status: { ...(object['status'] as object), phase: 'Terminating' } } : object;
    this.#objects.set(keyText(key), { key, object: told });
  }
}

function isNamespace({ key }: Stored): boolean {
  return key.group === '' && key.kind === 'Namespace';
}

function add(map: Map<string, Set<string>>, at: string, id: string): void {
  const set = map.get(at);
  if (set === undefined) map.set(at, new Set([id]));
  else set.add(id);
}
