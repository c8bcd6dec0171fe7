import type { ObjectDraft, ObjectKey } from '../objects/object.ts';
import type { ObjectTarget } from './request-path.ts';

/** The object at an address that names one. */
export function keyAt({ kind: { group, kind }, namespace = '', name = '' }: ObjectTarget): ObjectKey {
  return { group, kind, namespace, name };
}

/** The object in the version that a client asks for. All versions of a kind have the same fields. */
export function inVersion<T extends ObjectDraft>(object: T, { apiVersion }: Pick<ObjectTarget, 'apiVersion'>): T {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

/** True for two keys of one object. */
export function isSame(one: ObjectKey, other: ObjectKey): boolean {
  return (
    one.name === other.name && one.namespace === other.namespace && one.kind === other.kind && one.group === other.group
  );
}
