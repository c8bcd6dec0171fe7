import { isUtf8 } from 'node:buffer';

import { makeEvent, partitionKey } from './event.ts';
import type { Attributes, CloudEvent, ExtensionValue } from './event.ts';
import { EventFault } from './fault.ts';
import { decodeHttp } from './http.ts';
import { attributesOf, encodeJson } from './json.ts';

// The Kafka protocol binding (CloudEvents 1.0 kafka-protocol-binding.md):
//
//   structured  content-type: application/cloudevents+json   value = the JSON event format   (§3.3)
//   binary      ce_<attribute>: <UTF-8, not percent-encoded> value = the data, as it is      (§3.2)
//               content-type: <datacontenttype>
//   key         the partitionkey extension, which stays an attribute as well                 (§3.1)
//
// Structured wins over ce_ headers. Neither: the record is no event. A null value is no data; an empty one is.

/** A Kafka record as clients give it: repeated headers are an array, one without a value is null or undefined. */
export interface KafkaMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: KafkaHeaders | undefined;
}

export type KafkaHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | null | undefined>>;

/** A Kafka record that carries an event; clients take it as it is. */
export interface EncodedKafkaMessage extends KafkaMessage {
  readonly headers: Record<string, string>;
}

/** A record with more headers than this is refused: clients take quadratic time and more to read them. */
export const MAX_KAFKA_HEADERS = 500;

/**
 * Writes an event as a Kafka record. `decodeKafka` reads of it an event that is equal, in binary mode with the
 * values of extensions as text. Throws an {@link EventFault} when there are too many attributes for headers.
 */
export function encodeKafka(event: CloudEvent, mode: 'binary' | 'structured'): EncodedKafkaMessage {
  const partition = partitionKey(event);
  const key = partition === undefined ? null : Buffer.from(partition);
  if (mode === 'structured') return { key, value: encodeJson(event), headers: { 'content-type': STRUCTURED } };
  const headers: Record<string, string> = {};
  for (const [name, held] of Object.entries(attributesOf(event) as Record<string, ExtensionValue | undefined>)) {
    if (held !== undefined) headers[name === 'datacontenttype' ? 'content-type' : `${PREFIX}${name}`] = String(held);
  }
  checkHeaderCount(headers);
  return { key, value: event.data === undefined ? null : bufferOf(event.data), headers };
}

/**
 * Reads the event of a Kafka record. Undefined when the record is none; throws an {@link EventFault} when it means to
 * be one and is not, or has more than {@link MAX_KAFKA_HEADERS} headers. The value is kept, not copied.
 */
export function decodeKafka({ value, headers = {} }: KafkaMessage): CloudEvent | undefined {
  checkHeaderCount(headers);
  const contentType = contentTypeOf(headers);
  if (contentType?.slice(0, EVENT_MEDIA_TYPE.length).toLowerCase() === EVENT_MEDIA_TYPE) {
    return decodeHttp(['content-type', contentType], value ?? new Uint8Array());
  }
  if ((headers[`${PREFIX}specversion`] ?? undefined) === undefined) return undefined;
  const attributes = Object.create(null) as Attributes;
  for (const name in headers) {
    const held = headers[name] ?? undefined;
    if (held === undefined || !name.startsWith(PREFIX)) continue;
    const attribute = name.slice(PREFIX.length);
    attributes[attribute] = textOf(attribute, held);
  }
  if (contentType !== undefined) attributes['datacontenttype'] = contentType;
  return makeEvent(attributes, value ?? undefined);
}

const PREFIX = 'ce_';
const STRUCTURED = 'application/cloudevents+json; charset=utf-8';
const EVENT_MEDIA_TYPE = 'application/cloudevents';

/** The header `content-type` in any case, as producers do not agree on one; undefined when it is absent or no text. */
function contentTypeOf(headers: KafkaHeaders): string | undefined {
  for (const name in headers) {
    if (name.length !== 12 || name.toLowerCase() !== 'content-type') continue;
    const held = [headers[name]].flat().at(-1) ?? undefined;
    if (held === undefined) continue;
    const bytes = Buffer.from(held);
    return isUtf8(bytes) ? bytes.toString() : undefined;
  }
  return undefined;
}

function textOf(attribute: string, held: Buffer | string | (Buffer | string)[]): string {
  if (Array.isArray(held)) throw new EventFault(attribute, 'one header', `${held.length} headers`);
  if (typeof held === 'string') return held;
  if (!isUtf8(held)) throw new EventFault(attribute, 'text in UTF-8', `${held.byteLength} bytes that are not UTF-8`);
  return held.toString();
}

function checkHeaderCount(headers: KafkaHeaders): void {
  let count = 0;
  for (const name in headers) {
    const held = headers[name];
    count += Array.isArray(held) ? held.length : 1;
  }
  if (count > MAX_KAFKA_HEADERS) {
    throw new EventFault('headers', `at most ${MAX_KAFKA_HEADERS} Kafka headers`, `${count} headers`);
  }
}

function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
