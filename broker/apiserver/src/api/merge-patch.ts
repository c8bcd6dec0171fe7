import { isRecord, setOwn } from './json.ts';

/** A JSON merge patch (RFC 7386): null removes. Neither is changed; the result may share parts with both. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else setOwn(merged, field, mergePatch(Object.hasOwn(merged, field) ? merged[field] : undefined, value));
  }
  return merged;
}
