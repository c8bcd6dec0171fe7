import type { EntryView } from '@millrace/bus/admin/views';

import { printable, printableLines } from './printable.ts';
import { indented } from './table.ts';

/** What is told of the data of an event. */
export type ShownData = Pick<EntryView, 'size' | 'truncated' | 'attributes' | 'data' | 'data_base64'>;

/** The data of an event for people: JSON over several lines, text as it is, the beginning of other bytes in base64. */
export function dataBlock(entry: ShownData): string {
  const { size, truncated, attributes } = entry;
  if (entry.data === undefined && entry.data_base64 === undefined) return 'Data:  none\n';
  const type = (attributes['datacontenttype'] as string | undefined) ?? 'no content type';
  const cut = truncated === true ? ', only the beginning shown' : '';
  return `Data:  ${printable(type)}, ${size} bytes${cut}\n${indented(`${printableLines(textOf(entry))}\n`)}`;
}

const SHOWN_BASE64 = 120;

function textOf({ data, data_base64: base64 = '' }: ShownData): string {
  if (data !== undefined) return pretty(data) ?? data;
  return base64.length > SHOWN_BASE64 ? `${base64.slice(0, SHOWN_BASE64)}... (base64)` : `${base64} (base64)`;
}

/** JSON over several lines, numbers as they were written; undefined for what is no JSON. */
function pretty(text: string): string | undefined {
  try {
    // Through a double, 12345678901234567890 would come out as another number.
    const value: unknown = JSON.parse(text, (_name, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined ? rawJson(context.source) : value,
    );
    return JSON.stringify(value, undefined, 2);
  } catch {
    return undefined;
  }
}

/** ECMAScript's `JSON.rawJSON`, which the types of its 2024 edition do not know yet. */
const rawJson = (JSON as unknown as { rawJSON(this: void, text: string): unknown }).rawJSON;
