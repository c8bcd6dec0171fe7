import type { StoreBroken } from './errors.ts';
import type { KubernetesObject, ObjectDraft, ObjectKey, ObjectType } from './object.ts';

/** Everything that is declared, as the Kubernetes API knows it. It knows nothing of HTTP, of schemas, of what it means. */
export interface ObjectStore {
  /** The object as it is now. */
  get(key: ObjectKey): KubernetesObject | undefined;
  /** All of a type, in one namespace or in all, ordered by `namespace/name`; and the version at which that is true. */
  list(type: ObjectType, namespace?: string): ObjectList;
  /**
   * Makes the changes, all or none, and resolves with the objects as they are stored then (a removed one as it was,
   * with the version of its removal) once that is durable; `get` and watches tell of it from then on. A put that would
   * change nothing writes nothing.
   *
   * Rejects with {@link Conflict}, {@link AlreadyExists} or {@link NotFound} where something else is there than was
   * expected, with {@link StoreFull} when there is no space, with {@link StoreBroken} once it can take nothing more.
   */
  write(changes: readonly Change[]): Promise<readonly KubernetesObject[]>;
  /**
   * Tells the listener of every change to a type (in one namespace or in all) after a version: in order, none left out,
   * none twice; those that are past before this returns. The returned function ends it. Throws a {@link Gone} when the
   * changes after that version are not all known.
   */
  watch(type: ObjectType, namespace: string | undefined, after: string, listener: WatchListener): () => void;
  /** The version of the latest change. */
  readonly resourceVersion: string;
  /** Forgets all changes but the last so many (by itself it forgets none); the objects stay. Resolves when durable. */
  compact(keepLast: number): Promise<void>;
  /** Resolves (never rejects) with why the store can take nothing more, the moment that it can't. */
  readonly broken: Promise<StoreBroken>;
  /** Writes what is pending, ends the watches, lets go of everything. Idempotent. */
  close(): Promise<void>;
}

/** What {@link ObjectStore.list} finds. */
export interface ObjectList {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
}

/**
 * One change of a write. `expected` is the version that the object has now; undefined says that there is none.
 * The store sets name, namespace, uid, resourceVersion and creationTimestamp of what is put.
 */
export type Change =
  | {
      readonly kind: 'put';
      readonly key: ObjectKey;
      readonly object: ObjectDraft;
      readonly expected: string | undefined;
    }
  | { readonly kind: 'remove'; readonly key: ObjectKey; readonly expected: string };

/** A change that was made. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: ObjectKey;
  /** As it is now; a deleted one as it was, but with the version of its deletion. */
  readonly object: KubernetesObject;
  /** As it was before; a watch with a selector needs it to tell who enters and who leaves. */
  readonly previous: KubernetesObject | undefined;
}

/** Is told of changes, within the turn in which they become known. It must not throw. */
export interface WatchListener {
  event(event: WatchEvent): void;
}
