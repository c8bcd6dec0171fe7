import { EventFault } from './fault.ts';

/** What an extension attribute may hold: text, a 32-bit integer or a boolean (CloudEvents 1.0 §2, type system). */
export type ExtensionValue = string | number | boolean;

/** Extension attributes by name. Has no prototype, so that `constructor` and `__proto__` are names like any other. */
export type Extensions = Readonly<Record<string, ExtensionValue>>;

/** The attributes that the specification names; every other attribute is an extension. */
export const CONTEXT_ATTRIBUTES = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
] as const;

export type ContextAttribute = (typeof CONTEXT_ATTRIBUTES)[number];

const NAME = /^[a-z0-9]+$/;
// RFC 3339 §5.6. Kept as text: nanoseconds and offsets survive. The days of a month are counted beside it.
const TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
// RFC 2046 through RFC 6838: type "/" subtype, then parameters that we do not look into.
const MEDIA_TYPE = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+\/[!#$%&'*+\-.^_`|~\dA-Za-z]+[ \t]*(?:;[\t -~]*)?$/;
// RFC 3986: what a URI-reference may be made of. Non-ASCII is let through, as every SDK does.
const URI_REFERENCE = /^(?:[^\s<>"{}|\\^`%]|%[\dA-Fa-f]{2})+$/;
const ABSOLUTE_URI = /^[A-Za-z][\dA-Za-z+\-.]*:(?:[^\s<>"{}|\\^`%]|%[\dA-Fa-f]{2})+$/;
// C0 and C1 controls are forbidden in strings (§2); everything else that is well-formed passes.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Throws unless the name is one or more of `a-z` and `0-9` (CloudEvents 1.0 §2, naming conventions). */
export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new EventFault(
      name === '' ? 'attribute name' : name,
      'a name of lower-case letters a-z and digits 0-9',
      name,
    );
  if (name === 'data') throw new EventFault(name, 'a name other than "data", which is reserved', name);
}

/** Throws unless the text has no control characters and no lone surrogates. */
export function checkText(name: string, value: string): void {
  if (CONTROL.test(value)) throw new EventFault(name, 'text without control characters', value);
  if (!value.isWellFormed()) throw new EventFault(name, 'well-formed Unicode text', value);
}

/** Throws unless an extension's value is text, a boolean or an integer of 32 bits. */
export function checkExtension(name: string, value: unknown): asserts value is ExtensionValue {
  if (typeof value === 'string') return checkText(name, value);
  if (typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isInteger(value) && value === (value | 0)) return;
  throw new EventFault(name, 'a string, a boolean or an integer of 32 bits', value);
}

/** Throws unless the value is what the specification asks of the attribute (CloudEvents 1.0 §3). */
export function checkAttribute(name: ContextAttribute, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new EventFault(name, 'a string', value);
  if (value === '') throw new EventFault(name, 'a non-empty string', value);
  checkText(name, value);
  switch (name) {
    case 'specversion':
      if (value !== '1.0' && value !== '0.3') throw new EventFault(name, '"1.0" or "0.3"', value);
      break;
    case 'id':
    case 'type':
      if (value.trim() === '') throw new EventFault(name, 'a string that is not blank', value);
      break;
    case 'source':
      if (!isUriReference(value)) throw new EventFault(name, 'a URI-reference (RFC 3986)', value);
      break;
    case 'dataschema':
      if (!ABSOLUTE_URI.test(value)) throw new EventFault(name, 'an absolute URI (RFC 3986)', value);
      break;
    case 'time':
      if (!isTime(value)) throw new EventFault(name, 'a timestamp (RFC 3339) such as "2026-01-31T12:00:00Z"', value);
      break;
    case 'datacontenttype':
      if (!MEDIA_TYPE.test(value))
        throw new EventFault(name, 'a media type (RFC 2046) such as "application/json"', value);
      break;
    case 'subject':
      break;
  }
}

function isTime(text: string): boolean {
  const date = TIME.exec(text);
  if (date === null) return false;
  const day = Number(date[3]);
  if (day <= 28) return true;
  // Day 0 of the next month is the last of this one.
  return day <= new Date(Date.UTC(Number(date[1]), Number(date[2]), 0)).getUTCDate();
}

/** Whether the text may be a URI-reference (RFC 3986 §4.1): its characters are checked, not its grammar. */
export function isUriReference(value: string): boolean {
  return URI_REFERENCE.test(value);
}

/** True for `application/json`, `text/json` and every `+json` type, whatever the parameters and the case. */
export function isJsonMediaType(mediaType: string): boolean {
  const end = mediaType.indexOf(';');
  const bare = (end < 0 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase();
  return bare === 'application/json' || bare === 'text/json' || bare.endsWith('+json');
}
