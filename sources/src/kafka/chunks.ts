import type { KafkaRecord } from './client.ts';

const MAX_RECORDS = 500;
const MAX_BYTES = 1024 * 1024;

/**
 * The records in order, in chunks of at most 500 records and 1 MiB of keys and values (a larger record stands alone),
 * so that what is in work at one time stays small whatever a fetch brings.
 */
export function* chunksOf(records: readonly KafkaRecord[]): Generator<readonly KafkaRecord[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, { key, value }] of records.entries()) {
    const size = (key?.byteLength ?? 0) + (value?.byteLength ?? 0);
    if (index > start && (index - start === MAX_RECORDS || bytes + size > MAX_BYTES)) {
      yield records.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < records.length) yield records.slice(start);
}
