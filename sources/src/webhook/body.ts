import { isJsonMediaType } from '@millrace/event/attributes';

import { mediaTypeOf } from './media-type.ts';

/** The text at a path into a body, or undefined when there is none. */
export type BodyReader = (path: readonly string[]) => string | undefined;

/**
 * Reads a body for templates: JSON by its members and indexes, a form by its fields (of a repeated one the first).
 * Anything else, and JSON that is malformed, has no values. It is parsed when it is first asked for.
 */
export function readBody(contentType: string | undefined, body: Uint8Array): BodyReader {
  let root: unknown;
  let isRead = false;
  return (path) => {
    if (!isRead) root = parse(contentType, body);
    isRead = true;
    let value = root;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !isMember(value, step)) return undefined;
      value = (value as Record<string, unknown>)[step];
    }
    if (value === null || value === undefined) return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
}

/** Its own and no other: what objects inherit, and the length of an array, the sender has not written. */
function isMember(value: object, name: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, name);
}

function parse(contentType: string | undefined, body: Uint8Array): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  if (contentType === undefined) return undefined;
  if (mediaTypeOf(contentType) === 'application/x-www-form-urlencoded') {
    // The first of a repeated field: later entries must not replace it.
    return Object.fromEntries([...new URLSearchParams(text)].toReversed());
  }
  if (!isJsonMediaType(contentType)) return undefined;
  try {
    return JSON.parse(text, keepDigits);
  } catch {
    return undefined;
  }
}

/** Numbers as they stand in the text: an id of 20 digits must not be rounded on its way into an event's id. */
function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
    ? context.source
    : value;
}
