// What a handler returned, as the answer to its call.
import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { inspect } from 'node:util';

import { failureIn } from './context.mjs';
import { isJson, percentEncode } from './event.mjs';

const TEXT = 'text/plain; charset=utf-8';

/**
 * Answers with what a handler of events returned: nothing, an event (it has a `type`), a `Response`, a stream (text, as
 * it comes), or any data. `source` is the source of an event that names none.
 */
export async function answer(response, value, source) {
  if (isResponse(value)) return await answerResponse(response, value);
  if (isStream(value)) return await send(response, 200, { 'content-type': TEXT }, value);
  if (value === undefined || value === null) return await send(response, 204, {}, undefined);
  if (isEvent(value)) {
    const { headers, body } = writeEvent(value, source);
    return await send(response, 200, headers, body ?? Buffer.alloc(0));
  }
  const { mediaType, body } = writeData(value);
  return await send(response, 200, { 'content-type': mediaType }, body);
}

/** Answers with a `Response` of the web's. */
export async function answerResponse(response, value) {
  const headers = [];
  for (const [name, text] of value.headers) headers.push(name, text);
  await send(response, value.status, headers, value.body ?? undefined);
}

/** Answers with a status, headers and a body: undefined, bytes, text, or a stream of these. Resolves when it is sent. */
export async function send(response, status, headers, body) {
  response.writeHead(status, headers);
  if (!isStream(body)) return void response.end(body);
  // Whoever waits for a stream wants to know that it begins.
  response.flushHeaders();
  await pipeline(body, response);
}

/** Answers that a handler failed: {@link failure} says how, everything else is a 500. */
export function fail(response, error) {
  if (response.headersSent) return void response.destroy();
  const foreseen = failureIn(error);
  const headers = { 'content-type': 'application/json' };
  if (foreseen?.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(foreseen.retryAfterMs / 1000));
  const body = JSON.stringify({ error: error?.name ?? 'Error', message: error?.message ?? inspect(error) });
  response.writeHead(foreseen?.status ?? 500, headers).end(body);
}

function isEvent(value) {
  return typeof value === 'object' && value !== null && typeof value.type === 'string' && !isResponse(value);
}

/** Without a look at the global `Response`, which would load all that `fetch` needs. */
export function isResponse(value) {
  return Object.prototype.toString.call(value) === '[object Response]' && value.headers !== undefined;
}

/** Whether a value is a stream of any kind: Node's, the web's or an async generator. */
export function isStream(value) {
  return typeof value?.[Symbol.asyncIterator] === 'function';
}

/** The headers and the body of an event in binary mode; what is not said is filled in. */
export function writeEvent(value, source) {
  // An event of the cloudevents SDK says through toJSON what it is made of.
  const given = typeof value.toJSON === 'function' ? value.toJSON() : value;
  const { data, dataBytes: _, data_base64: base64, ...named } = given;
  const attributes = { specversion: '1.0', id: randomUUID(), source, time: new Date().toISOString(), ...named };
  const content = base64 === undefined ? data : Buffer.from(base64, 'base64');
  const { mediaType, body } = writeData(content, attributes.datacontenttype);
  const headers = mediaType === undefined ? {} : { 'content-type': mediaType };
  for (const name in attributes) {
    const attribute = attributes[name];
    if (attribute === undefined || attribute === null || name === 'datacontenttype') continue;
    headers[`ce-${name}`] = percentEncode(attributeText(name, attribute));
  }
  return { headers, body };
}

function attributeText(name, value) {
  if (!/^[a-z0-9]+$/.test(name)) throw new TypeError(`reply.${name}: expected an attribute name of a-z and 0-9`);
  if (value instanceof Date) return value.toISOString();
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  throw new TypeError(`reply.${name}: expected a string, a number or a boolean, got ${inspect(value, { depth: 0 })}`);
}

/** Bytes go as they are; under a JSON content type every other value is JSON, as it was on the way in. */
export function writeData(value, mediaType) {
  if (value === undefined) return { mediaType, body: undefined };
  if (value instanceof Uint8Array) return { mediaType: mediaType ?? 'application/octet-stream', body: value };
  if (typeof value === 'string' && !isJson(mediaType ?? '')) return { mediaType: mediaType ?? TEXT, body: value };
  const body = JSON.stringify(value);
  if (body === undefined) throw new TypeError(`reply: expected something that JSON can say, got a ${typeof value}`);
  return { mediaType: mediaType ?? 'application/json', body };
}
