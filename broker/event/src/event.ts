import { checkAttribute, checkExtension, checkName, isUriReference } from './attributes.ts';
import type { ExtensionValue, Extensions } from './attributes.ts';
import { EventFault } from './fault.ts';

export type { Extensions, ExtensionValue } from './attributes.ts';
export { EventFault } from './fault.ts';

/**
 * The letter: attributes outside, opaque bytes inside. Frozen; nobody on its way changes it.
 * `data` is never parsed by the bus: body in is body out, byte for byte.
 * CloudEvents 1.0 and 0.3; an event of 0.3 stays one (its `schemaurl` is held as `dataschema`).
 */
export interface CloudEvent {
  readonly specversion: '1.0' | '0.3';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** RFC 3339 as it came, so that nanoseconds and offsets survive. */
  readonly time: string | undefined;
  /** The media type as it came, parameters included. */
  readonly datacontenttype: string | undefined;
  readonly dataschema: string | undefined;
  readonly extensions: Extensions;
  /** The bytes, or undefined when the event carries none. Owned by the event: do not write to them. */
  readonly data: Uint8Array | undefined;
}

/** The attributes of an event as they are being collected: names to values, nothing checked yet. */
export type Attributes = Record<string, unknown>;

/**
 * Makes an event of collected attributes, or throws an {@link EventFault} that names the first wrong one.
 * Null and undefined count as absent. The attributes are read, not kept; the data is kept, not copied.
 */
export function makeEvent(attributes: Attributes, data: Uint8Array | undefined): CloudEvent {
  const specversion = required(attributes, 'specversion') as '1.0' | '0.3';
  const event: CloudEvent = {
    specversion,
    id: required(attributes, 'id'),
    source: required(attributes, 'source'),
    type: required(attributes, 'type'),
    subject: optional(attributes, 'subject'),
    time: optional(attributes, 'time'),
    datacontenttype: optional(attributes, 'datacontenttype'),
    dataschema: schemaOf(attributes, specversion),
    extensions: extensionsOf(attributes, specversion),
    data,
  };
  return Object.freeze(event);
}

/** The same event with these extensions set (or, where undefined, removed). The names are checked. */
export function withExtensions(event: CloudEvent, changes: Record<string, ExtensionValue | undefined>): CloudEvent {
  const extensions: Record<string, ExtensionValue> = Object.assign(Object.create(null), event.extensions);
  for (const name in changes) {
    const value = changes[name];
    if (value === undefined) {
      delete extensions[name];
      continue;
    }
    checkName(name);
    checkExtension(name, value);
    extensions[name] = value;
  }
  return Object.freeze({ ...event, extensions: Object.freeze(extensions) });
}

/**
 * The key that keeps events in order where order is asked for: the `partitionkey` extension
 * (CloudEvents partitioning extension), or undefined.
 */
export function partitionKey(event: CloudEvent): string | undefined {
  const key = event.extensions['partitionkey'];
  return key === undefined ? undefined : String(key);
}

const NONE: Extensions = Object.freeze(Object.create(null));

function required(attributes: Attributes, name: 'specversion' | 'id' | 'source' | 'type'): string {
  const value = attributes[name];
  if (value === undefined || value === null) {
    throw new EventFault(name, 'a value, as it is required', undefined);
  }
  checkAttribute(name, value);
  return value;
}

function optional(
  attributes: Attributes,
  name: 'subject' | 'time' | 'datacontenttype' | 'dataschema',
): string | undefined {
  const value = attributes[name];
  if (value === undefined || value === null) return undefined;
  checkAttribute(name, value);
  return value;
}

function schemaOf(attributes: Attributes, specversion: string): string | undefined {
  // 0.3 called it schemaurl, and allowed a relative one.
  if (specversion === '1.0') return optional(attributes, 'dataschema');
  const value = attributes['schemaurl'];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !isUriReference(value)) {
    throw new EventFault('schemaurl', 'a URI-reference (RFC 3986)', value);
  }
  return value;
}

function extensionsOf(attributes: Attributes, specversion: string): Extensions {
  let extensions: Record<string, ExtensionValue> | undefined;
  for (const name in attributes) {
    switch (name) {
      case 'specversion':
      case 'id':
      case 'source':
      case 'type':
      case 'subject':
      case 'time':
      case 'datacontenttype':
        continue;
      case 'dataschema':
        if (specversion === '1.0') continue;
        break;
      case 'schemaurl':
        if (specversion === '0.3') continue;
    }
    const value = attributes[name];
    if (value === undefined || value === null) continue;
    checkName(name);
    checkExtension(name, value);
    extensions ??= Object.create(null) as Record<string, ExtensionValue>;
    extensions[name] = value;
  }
  return extensions === undefined ? NONE : Object.freeze(extensions);
}
