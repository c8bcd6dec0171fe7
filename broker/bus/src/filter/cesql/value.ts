/** What a CESQL expression is made of and comes to. Integers have 32 bits (CESQL 1.0.0 §3.1). */
export type Value = boolean | number | string;

/** The types of CESQL, by the names that the specification gives them. */
export type Type = 'Boolean' | 'Integer' | 'String';

/** What stands for a value where an error leaves none (CESQL 1.0.0 §3.1). */
export const ZERO = { Boolean: false, Integer: 0, String: '' } as const satisfies Record<Type, Value>;

const INTEGER = /^[+-]?\d+$/;

/** The type that a value has. */
export function typeOf(value: Value): Type {
  if (typeof value === 'string') return 'String';
  return typeof value === 'number' ? 'Integer' : 'Boolean';
}

/** The number when it fits into 32 bits, else undefined. */
export function int32(value: number): number | undefined {
  const integer = value | 0;
  return integer === value ? integer : undefined;
}

/** Casts to Integer; undefined when that is a cast error (CESQL 1.0.0 §3.7). */
export function toInteger(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return INTEGER.test(value) ? int32(Number(value)) : undefined;
}

/** Casts to Boolean; undefined when that is a cast error (CESQL 1.0.0 §3.7). */
export function toBoolean(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  // Most texts are neither: look at the length before making a lower-case copy.
  if (value.length === 4 && value.toLowerCase() === 'true') return true;
  if (value.length === 5 && value.toLowerCase() === 'false') return false;
  return undefined;
}

/** Casts to String, which always works (CESQL 1.0.0 §3.7). */
export function toText(value: Value): string {
  return typeof value === 'string' ? value : String(value);
}

/** Casts to the type; undefined when that is a cast error. */
export function castTo(type: Type, value: Value): Value | undefined {
  if (type === 'String') return toText(value);
  return type === 'Integer' ? toInteger(value) : toBoolean(value);
}
