import { isDeepStrictEqual } from 'node:util';

import { groupOf, keyText } from '@millrace/apiserver/objects/object';
import type { KubernetesObject, ObjectDraft, ObjectKey, OwnerReference } from '@millrace/apiserver/objects/object';
import type { Change, ObjectStore } from '@millrace/apiserver/objects/store';
import type { Condition } from '@millrace/bus/plan/plan';

import { KINDS } from '@millrace/resources/kinds';
import type { KindName } from '@millrace/resources/kinds';
import type { Metadata } from '@millrace/resources/metadata';

import { meaningfulTypes } from './declared.ts';
import { IMPLICIT, isImplicit, isMade, keyOfObject } from './ownership.ts';
import { SERVING_VIEWS } from './serving/serving.ts';
import { versionOf } from './view.ts';
import type { View, Views } from './view.ts';

interface Shown extends Condition {
  readonly lastTransitionTime: string;
}

/** When, and of what, statuses tell. */
export interface Told {
  /** RFC 3339, to the second. */
  readonly now: string;
  /** False: what is there by itself is not made anew. */
  readonly makesImplicit: boolean;
  /** The generation that runs of what is declared, by the text of its key. */
  readonly observed: ReadonlyMap<string, number>;
  /** What vouches for the addresses, in PEM, where nobody else does. */
  readonly certificate?: string | undefined;
  /** What has been found to be told already: kept from one look to the next. Default: everything is looked at. */
  readonly known?: WeakMap<View, Known>;
}

/** The object that told how something is, and what that was told by. */
export interface Known {
  readonly object: KubernetesObject;
  readonly observed: number | undefined;
  readonly certificate: string | undefined;
}

/** The generation of every object that means something. */
export function generationsIn(store: ObjectStore): Map<string, number> {
  const generations = new Map<string, number>();
  for (const type of meaningfulTypes()) {
    for (const object of store.list(type).items) {
      generations.set(keyText(keyOfObject(object)), object.metadata.generation ?? 1);
    }
  }
  return generations;
}

/**
 * What has to change so that every object tells how it is, and so that what nobody has declared is there as long as it
 * is: what resources have made (the channels of a flow, the revisions of a Service), and what is there by itself (the
 * default Broker). Nothing for what is told already: a condition's `lastTransitionTime` is that of its last change.
 */
export function changesForStatuses(store: ObjectStore, views: Views, told: Told): Change[] {
  const { makesImplicit } = told;
  const changes: Change[] = [];
  const shown = new Set<string>();
  for (const view of views.values()) {
    const key = keyOfView(view);
    if (key === undefined) continue;
    shown.add(keyText(key));
    if (!makesImplicit && view.owner === undefined && store.get(key) === undefined) continue;
    const change = changeFor(store, { key, view }, views, told);
    if (change !== undefined) changes.push(change);
  }
  for (const type of [...meaningfulTypes(), ...SERVING_VIEWS]) {
    for (const object of store.list(type).items) {
      const key = keyOfObject(object);
      if (!(isMade(object) || isImplicit(object)) || shown.has(keyText(key))) continue;
      changes.push({ kind: 'remove', key, expected: object.metadata.resourceVersion });
    }
  }
  return changes;
}

function keyOfView(view: View): ObjectKey | undefined {
  const { kind, namespace, name } = view;
  const version = versionOf(view);
  return version === undefined ? undefined : { group: groupOf(version), kind, namespace, name };
}

function changeFor(
  store: ObjectStore,
  { key, view }: { readonly key: ObjectKey; readonly view: View },
  views: Views,
  told: Told,
): Change | undefined {
  const old = store.get(key);
  // What is made runs as it is.
  const observed = old !== undefined && isMade(old) ? undefined : told.observed.get(keyText(key));
  const known = told.known?.get(view);
  const { certificate } = told;
  if (known !== undefined && known.object === old && known.observed === observed && known.certificate === certificate)
    return undefined;
  const object = old === undefined || isMade(old) ? madeObject(store, { view, old }, views) : old;
  if (object === undefined) return undefined;
  const observedGeneration = observed ?? object.metadata.generation ?? 1;
  const next = { ...object, status: { observedGeneration, ...shownStatus(view, object, told) } };
  const isTold =
    old !== undefined &&
    (object === old ? isDeepStrictEqual(old['status'], next.status) : isDeepStrictEqual(old, next));
  if (!isTold) return { kind: 'put', key, object: next, expected: old?.metadata.resourceVersion };
  told.known?.set(view, { object: old, observed, certificate });
  return undefined;
}

/** The object of what nobody has declared; undefined until its maker is stored. */
function madeObject(
  store: ObjectStore,
  { view, old }: { readonly view: View; readonly old: KubernetesObject | undefined },
  views: Views,
): ObjectDraft | undefined {
  const { kind, namespace, name, owner, labels, isFixed = false } = view;
  const apiVersion = versionOf(view)!;
  const reference = owner === undefined ? undefined : referenceTo(store, views.get(owner));
  if (owner !== undefined && reference === undefined) return undefined;
  const { spec: said, annotations: completed } = owner === undefined ? completeView(view) : plainView(view);
  const spec = isFixed && old !== undefined ? (old['spec'] as object) : said;
  const annotations = { ...completed, ...(reference === undefined && { [IMPLICIT]: 'true' }) };
  const isOther = old !== undefined && !isDeepStrictEqual(old['spec'], spec);
  return {
    ...old,
    apiVersion,
    kind,
    metadata: {
      ...old?.metadata,
      name,
      namespace,
      generation: (old?.metadata.generation ?? 1) + (isOther ? 1 : 0),
      ...(labels !== undefined && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(reference !== undefined && { ownerReferences: [reference] }),
    },
    spec,
  };
}

function plainView({ spec = {}, annotations }: View) {
  return { spec: plain(spec), annotations };
}

/** What is there by itself has what its kind completes when nothing is said: a Broker, so far. */
function completeView(view: View): ReturnType<typeof plainView> {
  const { kind, namespace, name } = view;
  const draft = { apiVersion: versionOf(view), kind, metadata: { namespace, name } as Metadata, spec: {} };
  KINDS[kind as KindName].complete?.(draft);
  return plainView({ ...view, spec: draft.spec, annotations: { ...draft.metadata.annotations } });
}

function referenceTo(store: ObjectStore, maker: View | undefined): OwnerReference | undefined {
  const key = maker === undefined ? undefined : keyOfView(maker);
  const stored = key === undefined ? undefined : store.get(key);
  if (stored === undefined) return undefined;
  const { apiVersion, kind, metadata } = stored;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

/** `status` as Knative shows it. */
function shownStatus(
  { conditions, url, audience, details }: View,
  object: ObjectDraft,
  { now, certificate }: Told,
): Record<string, unknown> {
  const before = (object['status'] as { conditions?: readonly Shown[] } | undefined)?.conditions ?? [];
  const address = url && { name: url.slice(0, url.indexOf(':')), url, CACerts: certificate, audience };
  return {
    conditions: conditions.map((it, index) => shownCondition(it, before, index, now)),
    ...plain({ ...(address && { address, addresses: [address] }), ...details }),
  };
}

/** The one that is told already where it is the same: everything is looked at twice a second. */
function shownCondition(condition: Condition, before: readonly Shown[], index: number, now: string): Shown {
  const { type, status, reason, message } = condition;
  const old = before[index]?.type === type ? before[index] : before.find((it) => it.type === type);
  if (old !== undefined && old.status === status && old.reason === reason && old.message === message) return old;
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
  return plain({ type, status, reason, message, lastTransitionTime }) as Shown;
}

/** What is not said is not there, as in all JSON. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

/** Whether an object says something else than before: a new status alone does not count. */
export function isMeantOtherwise(object: KubernetesObject, previous: KubernetesObject | undefined): boolean {
  if (previous === undefined) return true;
  const { status: _now, metadata, ...said } = object;
  const { status: _before, metadata: old, ...saidBefore } = previous;
  return (
    !isDeepStrictEqual(said, saidBefore) ||
    !isDeepStrictEqual(metadata.annotations, old.annotations) ||
    !isDeepStrictEqual(metadata.labels, old.labels) ||
    metadata.deletionTimestamp !== old.deletionTimestamp
  );
}
