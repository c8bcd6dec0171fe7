import { groupOf } from '@millrace/apiserver/objects/object';
import type { KubernetesObject, ObjectDraft, ObjectKey } from '@millrace/apiserver/objects/object';
import type { AnyResource } from '@millrace/resources/any-resource';

/** The annotation of an object that a manifest file declares: which one. Only the file changes such an object. */
export const DECLARED_IN = 'millrace.dev/declared-in';

/** The annotation of an object that nobody has declared and that is there by itself, as the default Broker is. */
export const IMPLICIT = 'millrace.dev/implicit';

/** Where the object of a resource is stored. */
export function keyOfResource({ apiVersion, kind, metadata }: AnyResource): ObjectKey {
  return { group: groupOf(apiVersion), kind, namespace: metadata.namespace, name: metadata.name };
}

/** Where an object is stored. */
export function keyOfObject({ apiVersion, kind, metadata }: KubernetesObject): ObjectKey {
  return { group: groupOf(apiVersion), kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** The file that declares an object; undefined when none does. */
export function fileOf({ metadata }: ObjectDraft): string | undefined {
  return metadata.annotations?.[DECLARED_IN];
}

/** Whether nobody has declared it, so that whoever does may have its name. */
export function isImplicit({ metadata }: ObjectDraft): boolean {
  return metadata.annotations?.[IMPLICIT] !== undefined;
}

/** Whether another object has made this one, as a flow makes its channels and subscriptions. */
export function isMade({ metadata }: ObjectDraft): boolean {
  return metadata.ownerReferences?.some((it) => it.controller === true) === true;
}
