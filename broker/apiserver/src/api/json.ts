/** A JSON object. */
export type JsonRecord = Record<string, unknown>;

/** True for a JSON object, no list and no null. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at a field, or an empty one. */
export function recordAt(object: JsonRecord, field: string): JsonRecord {
  const value = object[field];
  return isRecord(value) ? value : {};
}

/** Also a field that is called `__proto__` is a field. */
export function setOwn(object: Record<string, unknown>, field: string, value: unknown): void {
  Object.defineProperty(object, field, { value, enumerable: true, configurable: true, writable: true });
}
