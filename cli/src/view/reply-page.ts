import { isUtf8 } from 'node:buffer';

import type { CloudEvent } from '@millrace/event/event';
import { attributesOf } from '@millrace/event/json';

import { dataBlock } from './event-data.ts';
import type { ShownData } from './event-data.ts';
import { fields, indented } from './table.ts';

/** The event that answers another, for people: its attributes and its data. */
export function replyPage(reply: CloudEvent): string {
  const attributes = Object.entries(attributesOf(reply)).filter(([, value]) => value !== undefined);
  const pairs = attributes.map(([name, value]) => [name, String(value)] as const);
  return `Reply:\n${indented(fields(pairs))}${dataBlock({ attributes: Object.fromEntries(attributes), ...shownData(reply) })}`;
}

function shownData({ data }: CloudEvent): Omit<ShownData, 'attributes'> {
  if (data === undefined) return { size: 0 };
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const size = bytes.byteLength;
  return isUtf8(bytes) ? { size, data: bytes.toString() } : { size, data_base64: bytes.toString('base64') };
}
