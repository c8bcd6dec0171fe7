import { isUtf8 } from 'node:buffer';

import { isJsonMediaType } from '@millrace/event/attributes';
import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeHttp } from '@millrace/event/http';
import { attributesOf } from '@millrace/event/json';

/**
 * An event as expressions see it: the object of the JSON event format, as text.
 *
 *   JSON of any media type, or of none       "data": <JSON>
 *   text                                     "data": "<text>"
 *   any other bytes                          "data_base64": "<base64>"
 *
 * Unlike `encodeJson`, which keeps every byte, this keeps what the bytes say: space around JSON is nothing.
 */
export function eventInput(event: CloudEvent): string {
  const attributes = JSON.stringify(attributesOf(event));
  return event.data === undefined ? attributes : `${attributes.slice(0, -1)},${dataMember(event, event.data)}}`;
}

/**
 * An HTTP message as expressions see it: as {@link eventInput} where it is an event; else its body, which is JSON or
 * else text. What means to be an event and is not may be what the expression is there to mend, so it is seen as a body.
 */
export function messageInput(rawHeaders: readonly string[], body: Uint8Array): string {
  try {
    const event = decodeHttp(rawHeaders, body);
    if (event !== undefined) return eventInput(event);
  } catch (error) {
    if (!(error instanceof EventFault)) throw error;
  }
  const text = textOf(body);
  if (text === '') return '{}';
  return isJson(text) ? text : JSON.stringify(text);
}

function dataMember(event: CloudEvent, data: Uint8Array): string {
  if (isUtf8(data)) {
    const text = textOf(data);
    // 0.3: with an encoding named, the data is that encoding's text, whatever the content type (0.3 spec §3).
    const isEncoded = event.specversion === '0.3' && event.extensions['datacontentencoding'] !== undefined;
    const { datacontenttype } = event;
    if (datacontenttype === undefined || (isJsonMediaType(datacontenttype) && !isEncoded)) {
      if (isJson(text)) return `"data":${text}`;
    } else if (isEncoded || isText(datacontenttype)) {
      return `"data":${JSON.stringify(text)}`;
    }
  }
  return `"data_base64":"${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}"`;
}

const TEXT = /^(?:text\/[^;]*|application\/(?:xml|yaml|x-www-form-urlencoded|[^;]*\+(?:xml|yaml)))\s*(?:;|$)/i;
const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?(?:utf-?8|us-ascii)"?\s*(?:;|$))/i;

function isText(mediaType: string): boolean {
  return TEXT.test(mediaType) && !OTHER_CHARSET.test(mediaType);
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
