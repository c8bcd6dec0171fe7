import { isDeepStrictEqual } from 'node:util';

import type { KubernetesObject, ObjectDraft } from '@millrace/apiserver/objects/object';
import type { Change, ObjectStore } from '@millrace/apiserver/objects/store';
import type { AnyResource } from '@millrace/resources/any-resource';
import type { Declared } from '@millrace/resources/manifest';

import { meaningfulTypes } from './declared.ts';
import { DECLARED_IN, fileOf, keyOfObject, keyOfResource } from './ownership.ts';

/** Who has written what files declare, as `managedFields` says it. */
const MANAGER = 'millrace-files';

/**
 * What has to change so that the store holds what the files declare: what is new or changed is put, what has left the
 * files is removed. An object that the API declared under the same name is the file's from then on.
 */
export function changesForFiles(store: ObjectStore, declared: readonly Declared[], now: string): Change[] {
  const changes: Change[] = [];
  const kept = new Set<string>();
  for (const { resource, place } of declared) {
    const key = keyOfResource(resource);
    kept.add(JSON.stringify(key));
    const old = store.get(key);
    const object = objectOf(resource, place.file, old, now);
    if (object === old) continue;
    changes.push({ kind: 'put', key, object, expected: old?.metadata.resourceVersion });
  }
  for (const type of meaningfulTypes()) {
    for (const object of store.list(type).items) {
      const key = keyOfObject(object);
      if (fileOf(object) === undefined || kept.has(JSON.stringify(key))) continue;
      changes.push({ kind: 'remove', key, expected: object.metadata.resourceVersion });
    }
  }
  return changes;
}

/** The object that a resource is, with what the server knows of the old one; the old one itself when nothing differs. */
function objectOf(resource: AnyResource, file: string, old: KubernetesObject | undefined, now: string): ObjectDraft {
  const { apiVersion, kind, metadata, ...said } = resource;
  const annotations = { ...metadata.annotations, [DECLARED_IN]: file };
  const before = old === undefined ? undefined : { said: saidOf(old), annotations: old.metadata.annotations };
  const isSame =
    old !== undefined &&
    isDeepStrictEqual(before?.said, said) &&
    isDeepStrictEqual(before?.annotations, annotations) &&
    isDeepStrictEqual(old.metadata.labels ?? {}, metadata.labels ?? {});
  if (isSame) return old;
  const isChanged = old === undefined || !isDeepStrictEqual(before?.said, said);
  return {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      ...(metadata.labels !== undefined && { labels: metadata.labels }),
      annotations,
      generation: (old?.metadata.generation ?? 0) + (isChanged ? 1 : 0),
      managedFields: [{ manager: MANAGER, operation: 'Apply', apiVersion, time: now }],
    },
    ...said,
    ...(old?.['status'] !== undefined && { status: old['status'] }),
  };
}

/** What an object says beside its metadata, and without its status. */
function saidOf(object: KubernetesObject): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, status: _status, ...said } = object;
  return said;
}
