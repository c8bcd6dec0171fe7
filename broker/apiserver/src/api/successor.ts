import { isDeepStrictEqual } from 'node:util';

import type { DraftMeta, KubernetesObject, ObjectDraft } from '../objects/object.ts';
import type { ServedKind } from '../registry/kind.ts';
import { invalid } from './status.ts';

/** What a client cannot set: it is as the server has set it, or not there. */
const SERVER_SET = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
] as const;

/** A new object, from what a request wants: nothing in it is of the server, and its status is empty. */
export function firstOf(wanted: ObjectDraft, { hasStatus }: ServedKind): ObjectDraft {
  const { status: _, ...rest } = wanted;
  const metadata = withoutServerSet(wanted.metadata);
  return hasStatus
    ? { ...rest, apiVersion: wanted.apiVersion, kind: wanted.kind, metadata: { ...metadata, generation: 1 } }
    : { ...wanted, metadata };
}

/**
 * What becomes of the live object when a request wants this: what the server has set stays. Through the subresource
 * `status` only the status changes, and otherwise all but the status, where that is a subresource.
 */
export function successorOf(
  live: KubernetesObject,
  wanted: ObjectDraft,
  { hasStatus }: ServedKind,
  subresource: string,
): ObjectDraft {
  if (subresource === 'status') {
    const { status: _, ...rest } = live;
    return withStatus(rest, wanted['status'], wanted.metadata.managedFields);
  }
  const kept = Object.fromEntries(
    SERVER_SET.flatMap((field) => (live.metadata[field] === undefined ? [] : [[field, live.metadata[field]]])),
  );
  const next: ObjectDraft = { ...wanted, metadata: { ...withoutServerSet(wanted.metadata), ...kept } };
  if (!hasStatus) return next;
  const { status: _, ...rest } = next;
  return withStatus(rest, live['status'], next.metadata.managedFields);
}

function withStatus(object: ObjectDraft, status: unknown, managedFields: DraftMeta['managedFields']): ObjectDraft {
  const metadata = { ...object.metadata, ...(managedFields !== undefined && { managedFields }) };
  return { ...object, metadata, ...(status !== undefined && { status }) };
}

function withoutServerSet(metadata: DraftMeta): DraftMeta {
  const copy: Record<string, unknown> = { ...metadata };
  for (const field of SERVER_SET) delete copy[field];
  return copy;
}

/** The same with its generation: one more than before when anything but metadata and status is different. */
export function withGeneration(next: ObjectDraft, live: KubernetesObject, { hasStatus }: ServedKind): ObjectDraft {
  if (!hasStatus || isDeepStrictEqual(wishOf(next), wishOf(live))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (live.metadata.generation ?? 0) + 1 } };
}

function wishOf({ apiVersion: _a, metadata: _m, status: _s, ...wish }: ObjectDraft): object {
  return wish;
}

/** Throws a Refusal when somebody new wants to be waited for by an object that is going. */
export function refuseLateFinalizers(next: ObjectDraft, live: KubernetesObject, kind: ServedKind): void {
  if (live.metadata.deletionTimestamp === undefined) return;
  const late = (next.metadata.finalizers ?? []).filter((it) => live.metadata.finalizers?.includes(it) !== true);
  if (late.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(late)}`;
  throw invalid(kind, live.metadata.name, [{ reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }]);
}
