// A call as an event: what comes in binary or structured mode is one, anything else becomes one.
import { randomUUID } from 'node:crypto';

import { failure } from './context.mjs';

/** The type of the event that a plain HTTP request becomes. */
const REQUEST_TYPE = 'dev.millrace.function.request';

/** The body of a request, whole. */
export async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The event that a request carries; undefined when it is a plain one. */
export function readEvent({ headers }, body) {
  const mediaType = headers['content-type'] ?? '';
  if (/^\s*application\/cloudevents-batch\b/i.test(mediaType)) {
    throw failure('expected one event, got a batch of them', { status: 415 });
  }
  if (/^\s*application\/cloudevents\b/i.test(mediaType)) return readStructured(body);
  if (!isBinaryMode(headers)) return undefined;
  const event = {};
  for (const name in headers) {
    if (name.startsWith('ce-')) event[name.slice(3)] = percentDecode(headers[name]);
  }
  return withData(event, headers['content-type'], body);
}

/** Whether the headers carry an event's attributes: CloudEvents HTTP binding §3.1. */
export function isBinaryMode(headers) {
  return headers['ce-type'] !== undefined || headers['ce-specversion'] !== undefined;
}

/** The event that a plain request becomes, so that a handler of events may be called by anybody. */
export function eventOfRequest({ headers, url }, body, source) {
  const path = url.split('?', 1)[0];
  const event = {
    specversion: '1.0',
    id: headers['x-call-id'] ?? headers['x-request-id'] ?? randomUUID(),
    source: path === '/' ? source : `${source}${path}`,
    type: REQUEST_TYPE,
    time: new Date().toISOString(),
  };
  return withData(event, headers['content-type'], body);
}

/** A body as its content type has it: parsed JSON, a string, or the bytes; undefined when it is empty. */
export function readData(mediaType = '', body) {
  if (body.length === 0) return undefined;
  if (!isJson(mediaType)) return /^\s*text\//i.test(mediaType) ? body.toString() : body;
  return parse(body.toString(), `data: expected JSON, as its content type ${mediaType} says`);
}

/** Whether what is under this media type is JSON. */
export function isJson(mediaType) {
  return /^\s*(?:application\/json|text\/json|[^;\s]+\+json)\s*(?:;|$)/i.test(mediaType);
}

/** The value of an attribute as a header has it: CloudEvents HTTP binding §3.1.3.2. */
export function percentEncode(text) {
  return text
    .toWellFormed()
    .replaceAll(/[^\u0021\u0023\u0024\u0026-\u007e]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    );
}

function percentDecode(header) {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

function withData(event, mediaType, body) {
  if (mediaType !== undefined) event.datacontenttype = mediaType;
  if (body.length > 0) {
    event.data = readData(mediaType, body);
    event.dataBytes = body;
  }
  return event;
}

/** JSON event format §3: data is JSON unless its content type says otherwise, `data_base64` is bytes. */
function readStructured(body) {
  const text = body.toString();
  const {
    data,
    data_base64: base64,
    ...event
  } = Object(parse(text, 'expected an event as JSON, as its content type says'));
  if (typeof event.type !== 'string' || typeof event.id !== 'string') {
    throw failure('expected an event with type and id, as its content type says', { status: 400 });
  }
  if (base64 !== undefined) {
    const bytes = Buffer.from(base64, 'base64');
    return { ...event, data: readData(event.datacontenttype, bytes), dataBytes: bytes };
  }
  if (data === undefined) return event;
  const isText = typeof data === 'string' && !isJson(event.datacontenttype ?? 'application/json');
  return { ...event, data, dataBytes: Buffer.from(isText ? data : JSON.stringify(data)) };
}

function parse(text, expected) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure(`${expected}: ${cause.message}`, { status: 400 });
  }
}
