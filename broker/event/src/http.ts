import { isUtf8 } from 'node:buffer';

import { makeEvent } from './event.ts';
import type { Attributes, CloudEvent } from './event.ts';
import { EventFault } from './fault.ts';
import type { Headers } from './handler.ts';
import { decodeJson, decodeJsonBatch, encodeJson } from './json.ts';

// The HTTP protocol binding (CloudEvents 1.0 http-protocol-binding.md):
//
//   structured  Content-Type: application/cloudevents+json         body = the JSON event format (§3.2)
//   batch       Content-Type: application/cloudevents-batch+json   body = an array of those     (§3.3)
//   binary      ce-<attribute>: <percent-encoded text>             body = the data, as it is    (§3.1)
//               Content-Type: <datacontenttype>
//
// Structured wins over ce- headers. Neither: the message is no event.

/** An HTTP message that carries an event. Header names are lower-case. */
export interface HttpMessage {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | undefined;
}

/**
 * Reads the events of an HTTP message, request or response: one, or those of a batch.
 * Undefined when the message is no event at all; throws an {@link EventFault} when it means to be one and is not.
 * `rawHeaders` are names and values in turn, as `node:http` and undici give them. The body is kept, not copied.
 */
export function decodeMessage(rawHeaders: readonly string[], body: Uint8Array): CloudEvent[] | undefined {
  const headers = readHeaders(rawHeaders);
  if (isEventMediaType(headers.contentType)) return decodeFormat(headers.contentType!, body);
  return headers.attributes === undefined ? undefined : [decodeBinary(headers.attributes, headers.contentType, body)];
}

/** Reads the one event of an HTTP message; a batch is refused. Otherwise as {@link decodeMessage}. */
export function decodeHttp(rawHeaders: readonly string[], body: Uint8Array): CloudEvent | undefined {
  const headers = readHeaders(rawHeaders);
  if (isEventMediaType(headers.contentType)) {
    if (headers.contentType!.toLowerCase().startsWith(BATCH)) {
      throw new EventFault('content-type', 'one event', headers.contentType, { unsupportedMediaType: true });
    }
    return decodeFormat(headers.contentType!, body)[0];
  }
  return headers.attributes === undefined ? undefined : decodeBinary(headers.attributes, headers.contentType, body);
}

/** Writes an event in binary mode: attributes as `ce-` headers, the data as the body. */
export function encodeBinary(event: CloudEvent): HttpMessage {
  const headers: Record<string, string> = {
    'ce-specversion': event.specversion,
    'ce-id': escape(event.id),
    'ce-source': escape(event.source),
    'ce-type': escape(event.type),
  };
  if (event.subject !== undefined) headers['ce-subject'] = escape(event.subject);
  if (event.time !== undefined) headers['ce-time'] = event.time;
  if (event.dataschema !== undefined) {
    headers[event.specversion === '1.0' ? 'ce-dataschema' : 'ce-schemaurl'] = escape(event.dataschema);
  }
  for (const name in event.extensions) headers[`ce-${name}`] = escape(String(event.extensions[name]));
  if (event.datacontenttype !== undefined) headers['content-type'] = event.datacontenttype;
  return { headers, body: event.data };
}

/** Writes an event in structured mode, in the JSON format. */
export function encodeStructured(event: CloudEvent): HttpMessage {
  return { headers: { 'content-type': `${STRUCTURED}; charset=utf-8` }, body: encodeJson(event) };
}

/** The headers that travel with an event from hop to hop although they are no part of it (Knative's list, and W3C trace context). */
export function travellingHeaders(rawHeaders: readonly string[]): Headers | undefined {
  let found: Record<string, string> | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    // The first letter decides for nearly every header without a copy of its name.
    if (!FIRST_LETTERS.has(name.charCodeAt(0) | 0x20)) continue;
    const lower = name.toLowerCase();
    if (!TRAVELS.test(lower)) continue;
    found ??= Object.create(null) as Record<string, string>;
    found[lower] = rawHeaders[index + 1]!;
  }
  return found;
}

const TRAVELS = /^(?:traceparent|tracestate|x-request-id|knative-.*|x-b3-.*)$/;
const FIRST_LETTERS = new Set(['t', 'x', 'k'].map((letter) => letter.charCodeAt(0)));

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch';
const EVENT_MEDIA_TYPE = 'application/cloudevents';

interface ReadHeaders {
  contentType: string | undefined;
  /** The `ce-` headers by attribute name, or undefined when there is no `ce-specversion`. */
  attributes: Attributes | undefined;
}

function readHeaders(rawHeaders: readonly string[]): ReadHeaders {
  let contentType: string | undefined;
  let attributes: Attributes | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if ((name.charCodeAt(0) | 0x20) !== 0x63 /* c */) continue;
    if ((name.charCodeAt(1) | 0x20) === 0x65 /* e */ && name.charCodeAt(2) === 0x2d /* - */) {
      attributes ??= Object.create(null) as Attributes;
      const attribute = name.slice(3).toLowerCase();
      if (attribute in attributes) throw new EventFault(attribute, 'one header', 'two');
      attributes[attribute] = unescape(rawHeaders[index + 1]!);
    } else if (name.length === 12 && name.toLowerCase() === 'content-type') {
      contentType = rawHeaders[index + 1]!;
    }
  }
  if (attributes !== undefined && !('specversion' in attributes)) attributes = undefined;
  return { contentType, attributes };
}

function isEventMediaType(contentType: string | undefined): boolean {
  return contentType !== undefined && contentType.slice(0, EVENT_MEDIA_TYPE.length).toLowerCase() === EVENT_MEDIA_TYPE;
}

const FORMAT = /^application\/cloudevents(-batch)?\+json\s*(?:;(.*))?$/i;
const CHARSET = /(?:^|;)\s*charset\s*=\s*"?([^\s";]+)/i;

function decodeFormat(contentType: string, body: Uint8Array): CloudEvent[] {
  const format = FORMAT.exec(contentType);
  if (format === null) {
    throw new EventFault('content-type', `the format ${STRUCTURED}`, contentType, { unsupportedMediaType: true });
  }
  const charset = CHARSET.exec(format[2] ?? '')?.[1] ?? 'utf-8';
  if (!/^(?:utf-?8|us-ascii)$/i.test(charset)) {
    throw new EventFault('content-type', 'charset utf-8 (RFC 8259 §8.1)', contentType, { unsupportedMediaType: true });
  }
  return format[1] === undefined ? [decodeJson(body)] : decodeJsonBatch(body);
}

function decodeBinary(attributes: Attributes, contentType: string | undefined, body: Uint8Array): CloudEvent {
  if (contentType !== undefined) attributes['datacontenttype'] = contentType;
  return makeEvent(attributes, body.byteLength === 0 ? undefined : body);
}

// §3.1.3.2: everything but U+0021-U+007E is percent-encoded, and so are " and %.
const NEEDS_ESCAPE = /[^\u0021\u0023\u0024\u0026-\u007e]+/g;

function escape(value: string): string {
  NEEDS_ESCAPE.lastIndex = 0;
  return NEEDS_ESCAPE.test(value) ? value.replace(NEEDS_ESCAPE, percentEncode) : value;
}

function percentEncode(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}

// oxlint-disable-next-line no-control-regex
const PLAIN = /^[\u0000-\u0021\u0023\u0024\u0026-\u007f]*$/;

/** §3.1.3.2 backwards: unquote, then percent-decode. A lone % stays as it is. */
function unescape(header: string): string {
  if (PLAIN.test(header)) return header;
  let value = header;
  if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) {
    value = value.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  }
  const bytes = Buffer.from(
    value.replaceAll(/%([\dA-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  );
  // Many senders put UTF-8 straight into headers; anything else is Latin-1, as HTTP once said.
  return isUtf8(bytes) ? bytes.toString() : bytes.toString('latin1');
}
