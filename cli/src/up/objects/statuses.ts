import { isDeepStrictEqual } from 'node:util';

import { groupOf } from '@millrace/apiserver/objects/object';
import type { KubernetesObject, ObjectDraft } from '@millrace/apiserver/objects/object';
import type { Change, ObjectStore } from '@millrace/apiserver/objects/store';
import type { Condition, Status } from '@millrace/bus/plan/plan';
import { isKind, KINDS } from '@millrace/resources/kinds';

import { meaningfulTypes } from './declared.ts';
import { isMade, keyOfObject } from './ownership.ts';

interface Shown extends Condition {
  readonly lastTransitionTime: string;
}

/** What is told with the statuses. */
export interface Telling {
  /** RFC 3339, to the second. */
  readonly now: string;
  /** What vouches for the addresses, in PEM, where nobody else does. */
  readonly certificate?: string | undefined;
}

/**
 * What has to change so that every object tells how it is, and so that what resources have made (the channels and
 * subscriptions of a flow) is there as long as they are. Nothing for what is told already: a condition's
 * `lastTransitionTime` is that of its last change.
 */
export function changesForStatuses(
  store: ObjectStore,
  statuses: ReadonlyMap<string, Status>,
  telling: Telling,
): Change[] {
  const changes: Change[] = [];
  for (const [, status] of statuses) {
    const change = changeFor(store, status, statuses, telling);
    if (change !== undefined) changes.push(change);
  }
  for (const type of meaningfulTypes()) {
    for (const object of store.list(type).items) {
      const key = keyOfObject(object);
      if (!isMade(object) || statuses.has(`${key.kind}/${key.namespace}/${key.name}`)) continue;
      changes.push({ kind: 'remove', key, expected: object.metadata.resourceVersion });
    }
  }
  return changes;
}

function changeFor(
  store: ObjectStore,
  status: Status,
  statuses: ReadonlyMap<string, Status>,
  telling: Telling,
): Change | undefined {
  const { kind, namespace, name, owner } = status;
  if (!isKind(kind)) return undefined;
  const [apiVersion = ''] = KINDS[kind].apiVersions;
  const key = { group: groupOf(apiVersion), kind, namespace, name };
  const old = store.get(key);
  // What is not declared and made by nobody, such as the broker that is there by itself, is not shown.
  const object = old ?? (owner === undefined ? undefined : madeObject(store, status, statuses));
  if (object === undefined) return undefined;
  const shown = shownStatus(status, object, telling);
  if (old !== undefined && isDeepStrictEqual(old['status'], shown)) return undefined;
  return { kind: 'put', key, object: { ...object, status: shown }, expected: old?.metadata.resourceVersion };
}

/** An object that another one has made; undefined until that one is stored. */
function madeObject(
  store: ObjectStore,
  { kind, namespace, name, owner = '', spec }: Status,
  statuses: ReadonlyMap<string, Status>,
): ObjectDraft | undefined {
  const maker = statuses.get(owner);
  if (maker === undefined || !isKind(maker.kind) || !isKind(kind)) return undefined;
  const [makerVersion = ''] = KINDS[maker.kind].apiVersions;
  const [apiVersion = ''] = KINDS[kind].apiVersions;
  const group = groupOf(makerVersion);
  const stored = store.get({ group, kind: maker.kind, namespace: maker.namespace, name: maker.name });
  if (stored === undefined) return undefined;
  const reference = {
    apiVersion: stored.apiVersion,
    kind: maker.kind,
    name: maker.name,
    uid: stored.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, generation: 1, ownerReferences: [reference] },
    // What is not said is not there, as in all JSON.
    spec: JSON.parse(JSON.stringify(spec ?? {})) as object,
  };
}

/** `status` as Knative shows it. */
function shownStatus(
  { conditions, url, audience, details }: Status,
  object: ObjectDraft,
  { now, certificate }: Telling,
): Record<string, unknown> {
  const before = (object['status'] as { conditions?: readonly Shown[] } | undefined)?.conditions ?? [];
  const address =
    url === undefined ? undefined : { name: url.slice(0, url.indexOf(':')), url, CACerts: certificate, audience };
  return JSON.parse(
    JSON.stringify({
      observedGeneration: object.metadata.generation ?? 1,
      conditions: conditions.map((it): Shown => {
        const old = before.find(({ type }) => type === it.type);
        return { ...it, lastTransitionTime: old?.status === it.status ? old.lastTransitionTime : now };
      }),
      ...(address !== undefined && { address, addresses: [address] }),
      ...details,
    }),
  ) as Record<string, unknown>;
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
