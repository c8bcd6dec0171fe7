import type { ObjectDraft } from '@millrace/apiserver/objects/object';

const PRIVATE = ['data', 'stringData'] as const;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A Secret before and after a change, with stars in the place of what it holds; other objects are left as they are. */
export function masked<T extends ObjectDraft>(before: T | undefined, after: T): [before: T | undefined, after: T] {
  if (after.apiVersion !== 'v1' || after.kind !== 'Secret') return [before, after];
  return [before && hide(before, after, ' (before)'), hide(after, before, ' (after)')];
}

/** Where both have a value, and not the same, the stars say which of them it is, as kubectl does it. */
function hide<T extends ObjectDraft>(object: T, other: T | undefined, mark: string): T {
  const hidden = PRIVATE.flatMap((field) => {
    const values = object[field] as Record<string, unknown> | undefined;
    if (values === undefined) return [];
    const others = (other?.[field] ?? {}) as Record<string, unknown>;
    const differs = (key: string) => Object.hasOwn(others, key) && others[key] !== values[key];
    return [[field, mapKeys(values, (key) => `***${differs(key) ? mark : ''}`)] as const];
  });
  const { annotations, ...metadata } = object.metadata;
  // kubectl notes there what it was given.
  const kept =
    annotations === undefined
      ? {}
      : { annotations: { ...annotations, ...(LAST_APPLIED in annotations && { [LAST_APPLIED]: '***' }) } };
  return { ...object, ...Object.fromEntries(hidden), metadata: { ...metadata, ...kept } };
}

function mapKeys(values: Record<string, unknown>, map: (key: string) => string): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((key) => [key, map(key)]));
}
