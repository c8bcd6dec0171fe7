import { isDeepStrictEqual } from 'node:util';

import { AlreadyExists, Conflict, NotFound } from './errors.ts';
import type { KubernetesObject, ObjectDraft, ObjectKey } from './object.ts';
import { Overlay } from './present.ts';
import type { Present } from './present.ts';
import type { Change, WatchEvent } from './store.ts';

/** Time and chance, as the store takes them in. */
export interface Environment {
  /** Milliseconds since 1970. */
  now(): number;
  /** One that no other object has. */
  uid(): string;
}

/** The change as it is asked for now: its object is JSON and nothing else, as a file would give it back. */
export function copied(change: Change): Change {
  const { group, kind, namespace, name } = change.key;
  const key = { group, kind, namespace, name };
  if (change.kind === 'remove') return { ...change, key };
  return { ...change, key, object: JSON.parse(JSON.stringify(change.object)) as ObjectDraft };
}

/** Writes that will be made together. Each sees those before it, and is in it as a whole or not at all. */
export class Transaction {
  readonly #environment: Environment;
  readonly #overlay: Overlay;
  #version: number;
  /** What is to be made durable, in order; the versions follow each other without a gap. */
  readonly events: WatchEvent[] = [];

  constructor(present: Present, version: number, environment: Environment) {
    this.#overlay = new Overlay(present);
    this.#version = version;
    this.#environment = environment;
  }

  /** Takes the {@link copied} changes of one write in, and tells what will be stored then. Throws when one of them cannot be made. */
  add(changes: readonly Change[]): readonly KubernetesObject[] {
    const own = new Overlay(this.#overlay);
    const events: WatchEvent[] = [];
    const objects = changes.map((change) => {
      const previous = own.get(change.key);
      const version = String(this.#version + events.length + 1);
      const event = this.#eventOf(change, previous, version);
      if (event === undefined) return previous!;
      events.push(event);
      own.set(change.key, event.type === 'DELETED' ? undefined : event.object);
      return event.object;
    });
    own.applyTo(this.#overlay);
    for (const event of events) this.events.push(event);
    this.#version += events.length;
    return objects;
  }

  /** Undefined when nothing would be different. */
  #eventOf(change: Change, previous: KubernetesObject | undefined, version: string): WatchEvent | undefined {
    expect(change, previous);
    const { key } = change;
    if (change.kind === 'remove') {
      return frozen({ type: 'DELETED', key, object: withVersion(previous!, version), previous });
    }
    if (previous === undefined) {
      const object = stamped(key, change.object, {
        uid: this.#environment.uid(),
        creationTimestamp: timestamp(this.#environment.now()),
        resourceVersion: version,
      });
      return frozen({ type: 'ADDED', key, object, previous });
    }
    const { uid, creationTimestamp, resourceVersion } = previous.metadata;
    const same = stamped(key, change.object, { uid, creationTimestamp, resourceVersion });
    if (isDeepStrictEqual(same, previous)) return undefined;
    return frozen({ type: 'MODIFIED', key, object: withVersion(same, version), previous });
  }
}

function expect(change: Change, previous: KubernetesObject | undefined): void {
  const { key, expected } = change;
  if (expected === undefined) {
    if (previous !== undefined) throw new AlreadyExists(key);
    return;
  }
  if (previous === undefined) throw new NotFound(key);
  const actual = previous.metadata.resourceVersion;
  if (actual !== expected) throw new Conflict(key, expected, actual);
}

type Stamp = Pick<KubernetesObject['metadata'], 'uid' | 'creationTimestamp' | 'resourceVersion'>;

function stamped({ name, namespace }: ObjectKey, draft: ObjectDraft, stamp: Stamp): KubernetesObject {
  const { namespace: _, ...metadata } = draft.metadata;
  return frozen({ ...draft, metadata: { ...metadata, name, ...(namespace !== '' && { namespace }), ...stamp } });
}

/** The same object with another version. */
export function withVersion(object: KubernetesObject, resourceVersion: string): KubernetesObject {
  return frozen({ ...object, metadata: { ...object.metadata, resourceVersion } });
}

/** Freezes it and all that is in it. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

/** Kubernetes' times are whole seconds. */
function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
