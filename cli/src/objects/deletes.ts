import type { KubernetesObject } from '@millrace/apiserver/objects/object';

import type { ApiClient } from '../api-client.ts';
import { pathOf } from './discovery.ts';
import type { Selected } from './selection.ts';

/** Tells the server that an object is to go; what belongs to it goes after it. Nothing is stored in a dry run. */
export async function deleteObject(
  client: ApiClient,
  { type }: Pick<Selected, 'type'>,
  object: KubernetesObject,
  { dryRun }: { readonly dryRun: boolean },
): Promise<void> {
  const { namespace, name, uid } = object.metadata;
  await client.send({
    method: 'DELETE',
    path: pathOf(type, namespace, name),
    query: { dryRun: dryRun ? 'All' : undefined },
    // Not another one that has the name by now.
    body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', preconditions: { uid } },
  });
}
