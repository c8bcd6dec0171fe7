import fc from 'fast-check';

import { makeEvent } from './event.ts';
import type { CloudEvent } from './event.ts';

/** For property tests: every kind of event that the specification allows. */

const text = fc
  .string({ minLength: 1, maxLength: 30, unit: 'grapheme' })
  // oxlint-disable-next-line no-control-regex
  .filter((value) => value.trim() !== '' && !/[\u0000-\u001f\u007f-\u009f]/.test(value) && value.isWellFormed());

const name = fc
  .stringMatching(/^[a-z0-9]{1,20}$/)
  .filter(
    (value) => !/^(specversion|id|source|type|subject|time|datacontenttype|dataschema|schemaurl|data)$/.test(value),
  );

const value = fc.oneof(text, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));

const time = fc
  .tuple(
    fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.integer({ min: 0, max: 999_999_999 }),
    fc.constantFrom('Z', 'z', '+01:00', '-23:59'),
  )
  .map(([date, nanos, offset]) => `${date.toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}${offset}`);

const uri = fc
  .webUrl({ withFragments: true, withQueryParameters: true })
  .filter((url) => /^(?:[^\s<>"{}|\\^`%]|%[\dA-Fa-f]{2})+$/.test(url));

const mediaType = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/vnd.x+json',
  'text/plain',
  'text/plain; charset="utf-16"',
  'application/octet-stream',
  'APPLICATION/JSON',
);

const bytes = fc.oneof(
  fc.json().map((json) => Buffer.from(json)),
  fc.json().map((json) => Buffer.from(`  ${json}\n`)),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.string({ unit: 'grapheme', minLength: 1 }).map((string) => Buffer.from(string)),
  fc
    .constantFrom('0', 'false', 'null', '""', '{"a":12345678901234567890,"a":1}', '\uFEFF{}')
    .map((json) => Buffer.from(json)),
);

const absentOr = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

export const anyEvent: fc.Arbitrary<CloudEvent> = fc
  .record({
    specversion: fc.constantFrom('1.0', '1.0', '0.3'),
    id: text,
    source: fc.oneof(uri, fc.constantFrom('#fragment', '//authority/path', '/orders', 'urn:x:y')),
    type: text,
    subject: absentOr(text),
    time: absentOr(time),
    datacontenttype: absentOr(mediaType),
    schema: absentOr(uri),
    extensions: fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: false }),
    data: absentOr(bytes),
  })
  .map(({ schema, extensions, data, ...attributes }) => {
    const schemaName = attributes.specversion === '1.0' ? 'dataschema' : 'schemaurl';
    return makeEvent({ ...extensions, ...attributes, [schemaName]: schema }, data);
  });

/** What of an event survives every encoding: attribute values as their canonical text (§2, type system), and the bytes. */
export function canonical(event: CloudEvent): unknown {
  const extensions = Object.entries(event.extensions).map(([key, held]) => [key, String(held)] as const);
  return {
    ...event,
    extensions: Object.fromEntries(extensions.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    data: event.data === undefined ? undefined : Buffer.from(event.data).toString('latin1'),
  };
}
