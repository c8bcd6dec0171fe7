import type { ObjectDraft, ObjectKey } from '../objects/object.ts';
import { isRecord } from './json.ts';
import type { ObjectTarget } from './request-path.ts';

/** The object at an address that names one. */
export function keyAt({ kind: { group, kind }, namespace = '', name = '' }: ObjectTarget): ObjectKey {
  return { group, kind, namespace, name };
}

/** The object in the version that a client asks for. */
export function inVersion<T extends ObjectDraft>(object: T, target: Pick<ObjectTarget, 'apiVersion' | 'kind'>): T {
  const { apiVersion } = target;
  if (object.apiVersion === apiVersion) return object;
  const conversion = conversionFor(target);
  const spec = object['spec'];
  if (conversion === undefined || !isRecord(spec)) return { ...object, apiVersion };
  return { ...object, apiVersion, spec: conversion.fromStored(spec) };
}

/** How specs of the version that is asked for differ from those that are stored; undefined when they do not. */
export function conversionFor({ apiVersion, kind }: Pick<ObjectTarget, 'apiVersion' | 'kind'>) {
  const name = apiVersion.split('/').at(-1);
  return kind.versions.find((it) => it.name === name)?.conversion;
}

/** True for two keys of one object. */
export function isSame(one: ObjectKey, other: ObjectKey): boolean {
  return (
    one.name === other.name && one.namespace === other.namespace && one.kind === other.kind && one.group === other.group
  );
}
