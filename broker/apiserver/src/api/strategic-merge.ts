import { isDeepStrictEqual } from 'node:util';

import type { MergeKeys } from '../registry/kind.ts';
import { isRecord, setOwn } from './json.ts';
import type { JsonRecord } from './json.ts';
import { badRequest } from './status.ts';

const DELETE_FROM = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/**
 * A strategic merge patch (Kubernetes, for core kinds only): a merge patch that knows which lists are merged, by which
 * key, and takes the directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder` (of which
 * the last is passed over: the order of what is merged here means nothing). Throws a Refusal at an unknown directive.
 */
export function strategicMerge(target: JsonRecord, patch: JsonRecord, keys: MergeKeys): JsonRecord {
  return mergeRecord(target, patch, keys, '');
}

function mergeRecord(target: JsonRecord, patch: JsonRecord, keys: MergeKeys, path: string): JsonRecord {
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  if (patch['$patch'] === 'delete') return {};
  if (patch['$patch'] !== undefined && patch['$patch'] !== 'merge') throw unknownDirective(patch['$patch']);
  const merged = { ...target };
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) {
    for (const field of Object.keys(merged)) if (!retained.includes(field)) delete merged[field];
  }
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith(DELETE_FROM)) {
      const list = field.slice(DELETE_FROM.length);
      merged[list] = listAt(merged, list).filter((item) => !(value as unknown[]).includes(item));
    } else if (!field.startsWith('$')) {
      const at = path === '' ? field : `${path}.${field}`;
      const merge = mergeValue(Object.hasOwn(merged, field) ? merged[field] : undefined, value, keys, at);
      if (merge === undefined) delete merged[field];
      else setOwn(merged, field, merge);
    } else if (field !== '$patch' && field !== '$retainKeys' && !field.startsWith(ORDER)) throw unknownDirective(field);
  }
  return merged;
}

function mergeValue(target: unknown, patch: unknown, keys: MergeKeys, path: string): unknown {
  if (patch === null) return undefined;
  if (isRecord(patch)) return mergeRecord(isRecord(target) ? target : {}, patch, keys, path);
  const key = keys[path];
  if (!Array.isArray(patch) || key === undefined) return patch;
  const before: readonly unknown[] = Array.isArray(target) ? target : [];
  if (key === '') return [...before, ...patch.filter((item) => !before.includes(item))];
  return mergeItems(before, patch, { key, keys, path });
}

function mergeItems(
  before: readonly unknown[],
  patch: readonly unknown[],
  { key, keys, path }: { key: string; keys: MergeKeys; path: string },
): unknown[] {
  const replaces = patch.some((item) => isRecord(item) && isDeepStrictEqual(item, { $patch: 'replace' }));
  const merged: unknown[] = replaces ? [] : [...before];
  for (const item of patch) {
    if (!isRecord(item)) throw badRequest(`expected objects in the list ${path} of the patch`);
    if (item['$patch'] === 'replace') continue;
    const found = merged.findIndex((other) => isRecord(other) && isDeepStrictEqual(other[key], item[key]));
    if (item['$patch'] === 'delete') {
      if (found >= 0) merged.splice(found, 1);
    } else if (found < 0) merged.push(withoutDirectives(item));
    else merged[found] = mergeRecord(merged[found] as JsonRecord, item, keys, path);
  }
  return merged;
}

function withoutDirectives(patch: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(patch).filter(([field, value]) => !field.startsWith('$') && value !== null));
}

function listAt(object: JsonRecord, field: string): unknown[] {
  const value = object[field];
  return Array.isArray(value) ? value : [];
}

function unknownDirective(directive: unknown) {
  return badRequest(`unknown directive of a strategic merge patch: ${JSON.stringify(directive)}`);
}
