import { isDeepStrictEqual } from 'node:util';

import type { KubernetesObject, ObjectDraft } from '@millrace/apiserver/objects/object';

import type { ApiClient } from '../api-client.ts';
import { pathOf } from './discovery.ts';
import type { Manifest } from './manifests.ts';
import { withoutHistory } from './metadata.ts';
import { findObject } from './reads.ts';

/** Who sets the fields of what is applied. */
export const MANAGER = 'millrace';

export interface ApplyOptions {
  /** The server checks everything, and stores nothing. */
  readonly dryRun: boolean;
  /** Take over the fields that others manage. */
  readonly force: boolean;
}

/** An object before and after it was applied. */
export interface Applied {
  /** Undefined when there was none. */
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject;
  readonly outcome: 'created' | 'configured' | 'unchanged';
}

/** Applies what a manifest says, on the server (Kubernetes: server-side apply). Rejects with an ApiRefusal. */
export async function applyManifest(
  client: ApiClient,
  manifest: Manifest,
  { dryRun, force }: ApplyOptions,
): Promise<Applied> {
  const { type, namespace, name, object } = manifest;
  const before = await findObject(client, manifest);
  const { code, body: after } = await client.send<KubernetesObject>({
    method: 'PATCH',
    path: pathOf(type, namespace, name),
    query: {
      fieldManager: MANAGER,
      fieldValidation: 'Strict',
      force: String(force),
      dryRun: dryRun ? 'All' : undefined,
    },
    contentType: 'application/apply-patch+yaml',
    body: claimed(object),
  });
  return { before, after, outcome: before === undefined || code === 201 ? 'created' : changed(before, after) };
}

/** Who sets no field is noted nowhere as one who applied it. So an object that says nothing sets annotations: none. */
function claimed(object: ObjectDraft): ObjectDraft {
  return { ...object, metadata: { ...object.metadata, annotations: object.metadata.annotations ?? {} } };
}

/** How it is, and who has set what, is not what it says. */
function changed(before: KubernetesObject, after: KubernetesObject): 'configured' | 'unchanged' {
  return isDeepStrictEqual(withoutHistory(before), withoutHistory(after)) ? 'unchanged' : 'configured';
}

/** Whether this command has applied the object, whoever else has changed it since. */
export function isApplied({ metadata }: KubernetesObject): boolean {
  return metadata.managedFields?.some((it) => it['manager'] === MANAGER && it['operation'] === 'Apply') === true;
}
