import { attributeText } from './text.ts';

/** How a record's key is read (label `kafkasources.sources.knative.dev/key-type`). */
export type KeyType = 'string' | 'int' | 'float' | 'byte-array';

/**
 * The key as the value of an extension (knative-extensions/eventing-kafka-broker, KeyDeserializer): `int` is 4 bytes,
 * `float` 4 or 8, both big-endian; of another length they are read as text. A float becomes its shortest text, as an
 * extension cannot hold one; `byte-array` becomes base64.
 */
export function keyOf(key: Buffer, type: KeyType): string | number {
  if (type === 'byte-array') return key.toString('base64');
  if (type === 'int' && key.length === 4) return key.readInt32BE();
  if (type === 'float' && key.length === 4) return shortestFloat32(key.readFloatBE());
  if (type === 'float' && key.length === 8) return String(key.readDoubleBE());
  return attributeText(key);
}

/** 0.1 and not 0.10000000149011612: the fewest digits that are read as the same 32-bit float. */
function shortestFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}
