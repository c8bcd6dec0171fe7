import { isUtf8 } from 'node:buffer';

import { isJsonMediaType } from './attributes.ts';
import { makeEvent } from './event.ts';
import type { Attributes, CloudEvent } from './event.ts';
import { EventFault } from './fault.ts';
import { elements, members } from './json-scan.ts';

// The JSON event format (CloudEvents 1.0 json-format.md):
//
//   { "specversion": "1.0", "id": …, <attribute>: string | integer | boolean | null,
//     "data": <any JSON>            JSON content, or text when datacontenttype is not JSON (§3.1.1)
//     "data_base64": "<base64>" }   any other bytes; never both
//
// An absent datacontenttype beside `data` means application/json; we make that explicit (§3.1).

/** Reads one event in the JSON format. Throws an {@link EventFault}. The bytes of JSON `data` are kept as they stand. */
export function decodeJson(body: Uint8Array): CloudEvent {
  const source = parse(body, 'body');
  return readObject(source, source.value, 0);
}

/** Reads a batch (`application/cloudevents-batch+json`, json-format.md §4): all or nothing. Throws an {@link EventFault}. */
export function decodeJsonBatch(body: Uint8Array): CloudEvent[] {
  const source = parse(body, 'body');
  const { value } = source;
  if (!Array.isArray(value)) throw new EventFault('body', 'a JSON array of events', value);
  return elements(source.text, 0).map((start, index) => {
    try {
      return readObject(source, value[index], start);
    } catch (error) {
      throw error instanceof EventFault ? error.within(`[${index}]`) : error;
    }
  });
}

/** Writes one event in the JSON format. What `decodeJson` reads of it is equal to the event. */
export function encodeJson(event: CloudEvent): Buffer {
  const attributes = JSON.stringify(attributesOf(event));
  const data = event.data === undefined ? undefined : memberOf(event, event.data);
  if (data === undefined) return Buffer.from(attributes);
  return Buffer.concat([Buffer.from(attributes.slice(0, -1)), ...data, Buffer.from('}')]);
}

/** All attributes of an event by the names that its version gives them, typed, absent ones left out. */
export function attributesOf(event: CloudEvent): Attributes {
  const { specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions } = event;
  const schema = specversion === '1.0' ? { dataschema } : { schemaurl: dataschema };
  return { specversion, id, source, type, subject, time, datacontenttype, ...schema, ...extensions };
}

interface Source {
  readonly text: string;
  readonly value: unknown;
  readonly body: Uint8Array;
}

function parse(body: Uint8Array, place: string): Source {
  if (!isUtf8(body)) throw new EventFault(place, 'JSON in UTF-8', `${body.byteLength} bytes that are not UTF-8`);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  try {
    return { text, value: JSON.parse(text), body };
  } catch (error) {
    throw new EventFault(place, 'a JSON document', `${text.slice(0, 40)} (${(error as Error).message})`);
  }
}

function readObject(source: Source, value: unknown, start: number): CloudEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EventFault('body', 'a JSON object', value);
  }
  const object = value as Attributes;
  const attributes = Object.create(null) as Attributes;
  let data: [start: number, end: number] | undefined;
  for (const { name, start: from, end } of members(source.text, start)) {
    if (name === 'data') {
      if (data !== undefined) throw new EventFault(name, 'one value', 'two');
      data = [from, end];
      continue;
    }
    if (name in attributes) throw new EventFault(name, 'one value', 'two');
    attributes[name] = object[name];
  }
  const base64 = attributes['data_base64'];
  delete attributes['data_base64'];
  if (data === undefined) return makeEvent(attributes, decodeBase64(base64));
  if (base64 !== undefined && base64 !== null) throw new EventFault('data', 'either data or data_base64', 'both');
  attributes['datacontenttype'] ??= 'application/json';
  const isText = typeof object['data'] === 'string' && !holdsJson(attributes);
  return makeEvent(attributes, isText ? Buffer.from(object['data'] as string) : slice(source, data));
}

function holdsJson(attributes: Attributes): boolean {
  // 0.3: with an encoding named, the string is that encoding's text, whatever the content type (0.3 spec §3).
  if (attributes['specversion'] === '0.3' && typeof attributes['datacontentencoding'] === 'string') return false;
  const mediaType = attributes['datacontenttype'];
  return typeof mediaType === 'string' && isJsonMediaType(mediaType);
}

function slice({ text, body }: Source, [start, end]: [number, number]): Uint8Array {
  // As many characters as bytes: all ASCII, and the data is a view of the body.
  if (text.length === body.byteLength) return body.subarray(start, end);
  return Buffer.from(text.slice(start, end));
}

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

function decodeBase64(value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !BASE64.test(value)) {
    throw new EventFault('data_base64', 'a string in base64 (RFC 4648 §4)', value);
  }
  return Buffer.from(value, 'base64');
}

function memberOf(event: CloudEvent, data: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (isUtf8(bytes) && event.datacontenttype !== undefined) {
    const encoded = event.specversion === '0.3' && event.extensions['datacontentencoding'] !== undefined;
    if (encoded || !isJsonMediaType(event.datacontenttype)) {
      return [Buffer.from(`,"data":${JSON.stringify(bytes.toString())}`)];
    }
    if (isBareJson(bytes)) return [Buffer.from(',"data":'), bytes];
  }
  return [Buffer.from(`,"data_base64":"${bytes.toString('base64')}"`)];
}

/** Whether the bytes are JSON with no space around it, so that they survive standing as a member's value. */
function isBareJson(bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes[0]! <= 0x20 || bytes.at(-1)! <= 0x20) return false;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
