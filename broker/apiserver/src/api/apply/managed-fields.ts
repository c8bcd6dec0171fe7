import { isDeepStrictEqual } from 'node:util';

import type { Leaves } from './field-set.ts';
import { fromFieldsV1, toFieldsV1 } from './field-set.ts';

/** Who has set which fields, how and when (Kubernetes API: ManagedFieldsEntry). */
export interface ManagedEntry {
  readonly manager: string;
  /** Apply: what the manager wants is what it said last. Update: it has changed these at some time. */
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: unknown;
  readonly subresource?: string;
}

/** Who writes now. */
export interface Author extends Pick<ManagedEntry, 'manager' | 'operation' | 'apiVersion' | 'time'> {
  /** '' for the object itself. */
  readonly subresource: string;
}

/** An entry and the paths in it. */
export interface Managed {
  readonly entry: Omit<ManagedEntry, 'fieldsV1' | 'fieldsType'>;
  readonly paths: ReadonlySet<string>;
}

/** The entries of an object; what cannot be read owns nothing. */
export function readManaged(entries: readonly unknown[] | undefined): Managed[] {
  return (entries ?? []).map((each) => {
    const { fieldsType: _, fieldsV1, ...entry } = each as ManagedEntry;
    return { entry, paths: fromFieldsV1(fieldsV1) };
  });
}

/** The entries as they are stored, without those that own nothing. */
export function writeManaged(managed: readonly Managed[]): ManagedEntry[] {
  return managed
    .filter(({ paths }) => paths.size > 0)
    .map(({ entry, paths }) => Object.assign({ fieldsType: 'FieldsV1' as const, fieldsV1: toFieldsV1(paths) }, entry));
}

/** True for the entry that this author writes into. */
export function isBy({ entry }: Managed, author: Author): boolean {
  return (
    entry.manager === author.manager &&
    entry.operation === author.operation &&
    entry.apiVersion === author.apiVersion &&
    (entry.subresource ?? '') === author.subresource
  );
}

/** An entry of the author that owns these paths. */
export function managedBy({ subresource, ...author }: Author, paths: ReadonlySet<string>): Managed {
  return { entry: subresource === '' ? author : { ...author, subresource }, paths };
}

/** Who owns what after the author has changed an object otherwise than by server-side apply. */
export function afterUpdate(managed: readonly Managed[], before: Leaves, after: Leaves, author: Author): Managed[] {
  const changed = new Set<string>();
  for (const [path, value] of after) {
    if (!before.has(path) || !isDeepStrictEqual(before.get(path), value)) changed.add(path);
  }
  const remaining = managed.map((each) => {
    const keeps = [...each.paths].filter((path) => after.has(path) && (isBy(each, author) || !changed.has(path)));
    return keeps.length === each.paths.size ? each : { ...each, paths: new Set(keeps) };
  });
  if (changed.size === 0) return remaining;
  const own = remaining.find((each) => isBy(each, author));
  const others = remaining.filter((each) => each !== own);
  return [...others, managedBy(author, new Set([...(own?.paths ?? []), ...changed]))];
}
