import type { KubernetesObject, ObjectDraft, ObjectKey } from '../objects/object.ts';
import type { Change, ObjectStore } from '../objects/store.ts';
import type { ServedKind } from '../registry/kind.ts';
import type { Registry } from '../registry/registry.ts';
import { inVersion, isSame, keyAt } from './addressing.ts';
import { denied } from './admission.ts';
import type { Admission } from './admission.ts';
import type { Author, Managed } from './apply/managed-fields.ts';
import { withOwners } from './apply/ownership.ts';
import { planDeletion } from './collection.ts';
import { draftOf, expectLive, keyOf } from './draft.ts';
import { timestamp } from './environment.ts';
import type { ApiEnvironment } from './environment.ts';
import { concernedBy } from './concerned.ts';
import { activeNamespace, namespaceKey } from './namespaces.ts';
import { persisted } from './persistence.ts';
import type { ObjectTarget } from './request-path.ts';
import { alreadyExists, notFound, Refusal, tooLarge } from './status.ts';
import { firstOf, refuseLateFinalizers, successorOf, withGeneration } from './successor.ts';
import type { WriteOptions } from './write-options.ts';

/** What a write needs besides the request. */
export interface WritePorts {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly admission: Admission;
  readonly environment: ApiEnvironment;
}

/** What a request wants an object to be, and who manages what then; without the latter it is found by comparing. */
export interface Wanted {
  readonly value: unknown;
  readonly managed?: readonly Managed[];
}

/** What was stored (or would have been), and what its author should know. */
export interface Written {
  readonly object: ObjectDraft;
  readonly warnings: readonly string[];
}

/** Stores a new object. Rejects with a Refusal when it is wrong, when there is one, when its namespace is not there. */
export async function create(
  ports: WritePorts,
  target: ObjectTarget,
  wanted: Wanted,
  options: WriteOptions,
): Promise<Written> {
  const { kind } = target;
  const { store, environment } = ports;
  const draft = draftOf(wanted.value, target, options.validation);
  const object = named(draft.object, environment);
  const key = keyOf(object, kind);
  if ((object.metadata.resourceVersion ?? '') !== '') {
    throw new Refusal(400, 'BadRequest', 'resourceVersion should not be set on objects to be created');
  }
  const standing = store.get(key);
  if (standing !== undefined && ports.admission.givesWay?.(standing) !== true) throw alreadyExists(kind, key.name);
  namespaceFor(store, key);
  const first = firstOf(object, kind);
  const isNamespace = kind.group === '' && kind.kind === 'Namespace';
  const admitted = admit(ports.admission, isNamespace ? activeNamespace(first) : first, undefined, kind);
  const author = authorOf(target, options, wanted, environment);
  const next = withOwners(admitted.object, undefined, kind, { author, managed: wanted.managed });
  const warnings = [...draft.warnings, ...admitted.warnings];
  expectRealSize(next);
  if (options.dryRun) return { object: imagined(next, environment), warnings };
  const stored = await persisted(kind, key, () =>
    store.write([
      ...namespaceFor(store, key),
      { kind: 'put', key, object: next, expected: standing?.metadata.resourceVersion },
    ]),
  );
  return { object: stored.at(-1)!, warnings };
}

/**
 * Makes another of a live object: `change` is given it in the version of the target, and says what is wanted. Made anew
 * when others write meanwhile; what names the version that it was made from is refused then.
 */
export async function modify(
  ports: WritePorts,
  target: ObjectTarget,
  change: (live: ObjectDraft) => Wanted,
  options: WriteOptions,
): Promise<Written> {
  const { kind } = target;
  const { store } = ports;
  const key = keyAt(target);
  return persisted(kind, key, async () => {
    const live = store.get(key);
    if (live === undefined) throw notFound(kind, key.name);
    const { next, warnings } = prepare(ports, target, { live, wanted: change(inVersion(live, target)), options });
    expectRealSize(next);
    if (options.dryRun) return { object: next, warnings };
    const changes = isLeaving(next) ? leave(ports, key, next as KubernetesObject) : [put(key, next, live)];
    const stored = await store.write(changes);
    return { object: stored[changes.findIndex((each) => isSame(each.key, key))] ?? live, warnings };
  });
}

function prepare(
  ports: WritePorts,
  target: ObjectTarget,
  { live, wanted, options }: { live: KubernetesObject; wanted: Wanted; options: WriteOptions },
): { next: ObjectDraft; warnings: readonly string[] } {
  const { kind, subresource } = target;
  const draft = draftOf(wanted.value, target, options.validation);
  expectLive(draft.object, live, kind);
  const successor = successorOf(live, draft.object, kind, subresource);
  refuseLateFinalizers(successor, live, kind);
  // What only says how an object is cannot be wrong.
  const admitted =
    subresource === '' ? admit(ports.admission, successor, live, kind) : { object: successor, warnings: [] };
  const author = authorOf(target, options, wanted, ports.environment);
  const counted = withGeneration(admitted.object, live, kind);
  return {
    next: withOwners(counted, live, kind, { author, managed: wanted.managed }),
    warnings: [...draft.warnings, ...admitted.warnings],
  };
}

function put(key: ObjectKey, object: ObjectDraft, live: KubernetesObject): Change {
  return { kind: 'put', key, object, expected: live.metadata.resourceVersion };
}

/** It was marked as deleted, and nobody has anything to do before any more. */
function isLeaving({ metadata }: ObjectDraft): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}

function leave(ports: WritePorts, key: ObjectKey, last: KubernetesObject): Change[] {
  const others = [...concernedBy(key, ports)].filter((stored) => !isSame(stored.key, key));
  const now = timestamp(ports.environment.now());
  return planDeletion([...others, { key, object: last }], key, { propagation: 'Background', now });
}

function admit(admission: Admission, object: ObjectDraft, old: KubernetesObject | undefined, kind: ServedKind) {
  const verdict = admission.admit(object, old);
  if ('faults' in verdict) throw denied(kind, object.metadata.name ?? '', verdict);
  return verdict;
}

/**
 * Throws a Refusal when the namespace of a new object takes none. The changes leave the namespace as it is: written
 * with the object they see to it that the two are not deleted and created at the same time.
 */
function namespaceFor(store: ObjectStore, { namespace }: ObjectKey): Change[] {
  if (namespace === '') return [];
  const found = store.get(namespaceKey(namespace));
  if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
  if (found.metadata.deletionTimestamp === undefined) return [put(namespaceKey(namespace), found, found)];
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw new Refusal(403, 'Forbidden', message, { name: namespace, kind: 'namespaces' });
}

/** Many patches of a size that is taken do not make an object that is not; in Kubernetes etcd has about this limit. */
const MAX_OBJECT = 2 * 1024 * 1024;

function expectRealSize(object: ObjectDraft): void {
  if (JSON.stringify(object).length > MAX_OBJECT) throw tooLarge(MAX_OBJECT);
}

const SUFFIX = 5;

/** With a name of our making where only its beginning is said. */
function named(object: ObjectDraft, { uid }: ApiEnvironment): ObjectDraft {
  const { name = '', generateName = '' } = object.metadata as { name?: string; generateName?: string };
  if (name !== '' || generateName === '') return object;
  const suffix = uid().replaceAll('-', '').slice(0, SUFFIX);
  return { ...object, metadata: { ...object.metadata, name: `${generateName}${suffix}` } };
}

/** What a dry run shows of a new object. */
function imagined(object: ObjectDraft, { uid, now }: ApiEnvironment): ObjectDraft {
  return { ...object, metadata: { ...object.metadata, uid: uid(), creationTimestamp: timestamp(now()) } };
}

function authorOf(
  { apiVersion, subresource }: ObjectTarget,
  { manager }: WriteOptions,
  { managed }: Wanted,
  { now }: ApiEnvironment,
): Author {
  const operation = managed === undefined ? 'Update' : 'Apply';
  return { manager, operation, apiVersion, subresource, time: timestamp(now()) };
}
