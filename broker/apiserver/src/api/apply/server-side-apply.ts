import { isDeepStrictEqual } from 'node:util';

import type { MergeKeys } from '../../registry/kind.ts';
import { isRecord, setOwn } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { Refusal } from '../status.ts';
import type { StatusCause } from '../status.ts';
import { itemStep, leavesOf, removePath, showPath } from './field-set.ts';
import type { Leaves } from './field-set.ts';
import { isBy, managedBy } from './managed-fields.ts';
import type { Author, Managed } from './managed-fields.ts';

/** A field that somebody else has set to something else. */
export interface ApplyConflict {
  readonly path: string;
  readonly other: Managed['entry'];
}

/** What an apply makes of an object, or who stands against it. */
export type Applied =
  | { readonly object: JsonRecord; readonly managed: readonly Managed[] }
  | { readonly conflicts: readonly ApplyConflict[] };

/**
 * Server-side apply: the object gets what `wanted` says, and loses what the same manager has said before and does not
 * say any more, unless others have said it too. A field to which another manager has given another value is a
 * conflict; with `force` it is taken over. `live` is not changed.
 */
export function serverSideApply(
  live: JsonRecord,
  wanted: JsonRecord,
  options: {
    readonly managed: readonly Managed[];
    readonly author: Author;
    readonly force: boolean;
    readonly keys: MergeKeys;
    /** Fields of others that may be taken over without `force`. */
    readonly mayTake?: (conflict: ApplyConflict) => boolean;
  },
): Applied {
  const { managed, author, force, keys, mayTake = () => false } = options;
  const [now, then] = [leavesOf(live, keys), leavesOf(wanted, keys)];
  const own = managed.find((each) => isBy(each, author));
  const others = managed.filter((each) => each !== own);
  const contested = conflictsOf(now, then, others);
  const conflicts = contested.filter((conflict) => !mayTake(conflict));
  if (conflicts.length > 0 && !force) return { conflicts };
  const taken = new Set(contested.map(({ path }) => path));
  const remaining = others.map(({ entry, paths }) => ({
    entry,
    paths: new Set([...paths].filter((path) => !taken.has(path))),
  }));
  const object = merge(live, wanted, keys, '') as JsonRecord;
  for (const path of own?.paths ?? []) {
    if (!then.has(path) && !remaining.some(({ paths }) => paths.has(path))) removePath(object, path);
  }
  const paths = new Set(then.keys());
  // Who says the same again has not written again.
  const time = own !== undefined && isDeepStrictEqual(own.paths, paths) ? own.entry.time : author.time;
  return { object, managed: [...remaining, managedBy({ ...author, time }, paths)] };
}

function conflictsOf(now: Leaves, then: Leaves, others: readonly Managed[]): ApplyConflict[] {
  return others.flatMap(({ entry, paths }) =>
    [...paths]
      .filter((path) => then.has(path) && now.has(path) && !isDeepStrictEqual(now.get(path), then.get(path)))
      .map((path) => ({ path, other: entry })),
  );
}

/** A copy: fields of both, lists of `wanted`, but for those that are merged by their items. */
function merge(live: unknown, wanted: unknown, keys: MergeKeys, at: string): unknown {
  if (isRecord(wanted)) {
    const merged: JsonRecord = isRecord(live) ? structuredClone(live) : {};
    for (const [field, value] of Object.entries(wanted)) {
      const inner = isRecord(live) && Object.hasOwn(live, field) ? live[field] : undefined;
      setOwn(merged, field, merge(inner, value, keys, at === '' ? field : `${at}.${field}`));
    }
    return merged;
  }
  const key = keys[at];
  if (!Array.isArray(wanted) || key === undefined || !Array.isArray(live)) return structuredClone(wanted);
  const items = new Map(live.map((item: unknown) => [itemStep(item, key), item]));
  for (const item of wanted as unknown[]) {
    const step = itemStep(item, key);
    items.set(step, merge(items.get(step), item, keys, `${at}[]`));
  }
  return [...items.values()].map((item) => structuredClone(item));
}

/** The refusal of an apply, in the words of Kubernetes: kubectl tells from them what can be done. */
export function applyConflict(conflicts: readonly ApplyConflict[]): Refusal {
  const byManager = Map.groupBy(conflicts, ({ other }) => showManager(other));
  const told = [...byManager].map(([manager, fields]) => {
    const paths = fields.map(({ path }) => showPath(path));
    return paths.length === 1
      ? `conflict with ${manager}: ${paths[0]}`
      : `conflicts with ${manager}:\n${paths.map((path) => `- ${path}`).join('\n')}`;
  });
  const causes = conflicts.map(({ path, other }): StatusCause => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${showManager(other)}`,
    field: showPath(path),
  }));
  const count = `${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  return new Refusal(409, 'Conflict', `Apply failed with ${count}: ${told.join('\n')}`, { causes });
}

function showManager({ manager, operation, apiVersion, subresource }: Managed['entry']): string {
  const through = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(manager)}${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}
