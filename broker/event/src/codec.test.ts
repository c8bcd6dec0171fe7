import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import { anyEvent, canonical } from './arbitrary.ts';
import { EventFault, makeEvent } from './event.ts';
import type { CloudEvent } from './event.ts';
import { decodeHttp, decodeMessage, encodeBinary, encodeStructured } from './http.ts';
import type { HttpMessage } from './http.ts';
import { decodeJson, decodeJsonBatch, encodeJson } from './json.ts';

const received = ({ headers, body }: HttpMessage) =>
  decodeHttp(Object.entries(headers).flat(), body ?? new Uint8Array());
const hops: Record<string, (event: CloudEvent) => CloudEvent | undefined> = {
  binary: (event) => received(encodeBinary(event)),
  structured: (event) => received(encodeStructured(event)),
  batch: (event) => decodeJsonBatch(Buffer.concat([Buffer.from('[ '), encodeJson(event), Buffer.from(' ]')]))[0],
};

describe('an event through encodings', () => {
  test('any chain of them leaves it equal', () => {
    const chain = fc.array(fc.constantFrom(...Object.keys(hops)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyEvent, chain, (event, names) => {
        let travelled: CloudEvent | undefined = event;
        for (const name of names) travelled = hops[name]!(travelled!);
        assert.deepEqual(canonical(travelled!), canonical(event));
      }),
      { numRuns: 1000 },
    );
  });

  test('structured mode keeps the types of extensions', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        assert.deepEqual({ ...decodeJson(encodeJson(event)).extensions }, { ...event.extensions });
      }),
    );
  });
});

describe('structured mode', () => {
  const minimal = '"specversion":"1.0","id":"1","source":"/s","type":"t"';
  const decode = (members: string) => decodeJson(Buffer.from(`{${minimal}${members}}`));
  const bytes = (event: CloudEvent) => Buffer.from(event.data!).toString();

  test('keeps the bytes of JSON data, whatever a parser would make of them', () => {
    for (const data of [
      '12345678901234567890',
      '{"a": 1,\n"a":2}',
      '{"__proto__":{"x":1}}',
      '"\\ud800"',
      '0',
      'false',
      '""',
      'null',
      '[{"b":"}]\\""}]',
      '{"ключ":"值"}',
    ]) {
      assert.equal(bytes(decode(`,"data":${data}`)), data);
      assert.equal(bytes(decode(`,"data": ${data} `)), data);
    }
  });

  test('says application/json where data came without a content type', () => {
    assert.equal(decode(',"data":1').datacontenttype, 'application/json');
    assert.equal(decode('').datacontenttype, undefined);
  });

  test('gives the text of string data when the content is not JSON', () => {
    assert.equal(bytes(decode(',"datacontenttype":"text/plain","data":"a\\nb"')), 'a\nb');
    assert.equal(bytes(decode(',"datacontenttype":"application/xml","data":{"a":1}')), '{"a":1}');
  });

  test('treats names like __proto__ and constructor as names', () => {
    assert.throws(() => decode(',"__proto__":"x"'), /__proto__: expected a name of lower-case letters/);
    assert.equal(decode(',"constructor":"x"').extensions['constructor'], 'x');
    assert.equal(decode(',"then":"x"').extensions['toString'], undefined);
  });

  const refused: [what: string, body: string | Buffer, message: RegExp][] = [
    ['text that is not JSON', '{', /body: expected a JSON document/],
    ['a scalar', '5', /body: expected a JSON object, got 5/],
    ['nothing', '', /body: expected a JSON document/],
    ['UTF-16', Buffer.from(`{${minimal}}`, 'utf16le'), /body: expected/],
    ['a deep nest', '['.repeat(200_000), /body: expected/],
    [
      'a missing id',
      '{"specversion":"1.0","source":"/s","type":"t"}',
      /id: expected a value, as it is required, got nothing/,
    ],
    ['a number for id', '{"specversion":"1.0","id":25,"source":"/s","type":"t"}', /id: expected a string, got 25/],
    [
      'an unknown version',
      '{"specversion":"9.9","id":"1","source":"/s","type":"t"}',
      /specversion: expected "1.0" or "0.3", got "9.9"/,
    ],
    ['the same attribute twice', `{${minimal},"id":"2"}`, /id: expected one value, got "two"/],
    ['data twice', `{${minimal},"data":1,"data":2}`, /data: expected one value/],
    ['data and data_base64', `{${minimal},"data":1,"data_base64":"AA=="}`, /data: expected either/],
    ['bad base64', `{${minimal},"data_base64":"A"}`, /data_base64: expected a string in base64/],
    ['an upper-case name', `{${minimal},"MyExt":"x"}`, /MyExt: expected a name/],
    ['a fraction', `{${minimal},"x":1.5}`, /x: expected a string, a boolean or an integer of 32 bits, got 1.5/],
    ['an integer beyond 32 bits', `{${minimal},"x":2147483648}`, /x: expected/],
    ['an object as attribute', `{${minimal},"x":{}}`, /x: expected/],
    ['NUL in an attribute', `{${minimal},"x":"\\u0000"}`, /x: expected text without control characters/],
    ['a lone surrogate', `{${minimal},"x":"\\ud800"}`, /x: expected well-formed Unicode/],
    ['an empty subject', `{${minimal},"subject":""}`, /subject: expected a non-empty string/],
    ['a time without seconds', `{${minimal},"time":"2018-04-05T18:31Z"}`, /time: expected a timestamp/],
  ];
  for (const [what, body, message] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(
        () => decodeJson(Buffer.from(body as string)),
        (error) => error instanceof EventFault && message.test(error.message),
      );
    });
  }

  test('a batch names the member at fault', () => {
    assert.throws(
      () => decodeJsonBatch(Buffer.from(`[{${minimal}},{${minimal},"time":"lunch"}]`)),
      /^EventFault: \[1\]\.time: expected a timestamp/,
    );
    assert.throws(() => decodeJsonBatch(Buffer.from('{}')), /body: expected a JSON array of events/);
    assert.deepEqual(decodeJsonBatch(Buffer.from(' [ ] ')), []);
  });
});

describe('binary mode', () => {
  const headers = (extra: string[]) => [
    'ce-specversion',
    '1.0',
    'ce-id',
    '1',
    'ce-source',
    '/s',
    'ce-type',
    't',
    ...extra,
  ];
  const decode = (...extra: string[]) => decodeHttp(headers(extra), new Uint8Array())!;

  test('reads header names in any case and values percent-decoded or quoted', () => {
    assert.equal(decode('CE-Subject', 'a%20%E2%82%AC%25').subject, 'a €%');
    assert.equal(decode('ce-subject', '"quoted \\"text\\""').subject, 'quoted "text"');
    assert.equal(decode('ce-subject', '100%').subject, '100%');
    assert.equal(decode('ce-subject', Buffer.from('€').toString('latin1')).subject, '€');
  });

  test('writes only visible ASCII', () => {
    const event = makeEvent({ specversion: '1.0', id: '€ "%"', source: '/s', type: 't' }, undefined);
    assert.equal(encodeBinary(event).headers['ce-id'], '%E2%82%AC%20%22%25%22');
  });

  test('keeps a 0.3 event one', () => {
    const event = decodeHttp(
      ['ce-specversion', '0.3', 'ce-id', '1', 'ce-source', '/s', 'ce-type', 't', 'ce-schemaurl', '/schema'],
      Buffer.from('x'),
    )!;
    assert.equal(event.specversion, '0.3');
    assert.equal(event.dataschema, '/schema');
    assert.equal(encodeBinary(event).headers['ce-schemaurl'], '/schema');
    assert.throws(
      () =>
        decodeHttp(
          ['ce-specversion', '0.3', 'ce-id', '1', 'ce-source', '/s', 'ce-type', 't', 'ce-schemaurl', 'a b'],
          Buffer.from('x'),
        ),
      /schemaurl/,
    );
  });

  test('is no event without ce-specversion', () => {
    assert.equal(decodeHttp(['ce-id', '1', 'content-type', 'application/json'], Buffer.from('{}')), undefined);
  });

  test('refuses an attribute given twice, and names with other characters', () => {
    assert.throws(() => decode('ce-x', '1', 'CE-X', '2'), /x: expected one header/);
    assert.throws(() => decode('ce-my-ext', '1'), /my-ext: expected a name/);
    assert.throws(() => decode('ce-__proto__', '1'), /__proto__: expected a name/);
    assert.throws(() => decode('ce-data', '1'), /data: expected a name other than/);
  });

  test('structured wins over ce- headers, whatever the case and the charset parameter', () => {
    const body = Buffer.from('{"specversion":"1.0","id":"2","source":"/s","type":"t"}');
    for (const type of ['application/cloudevents+json', 'Application/CloudEvents+JSON; charset=UTF-8']) {
      assert.equal(decodeHttp(headers(['content-type', type]), body)!.id, '2');
    }
  });

  test('an unread format or charset is an unsupported media type', () => {
    for (const type of [
      'application/cloudevents+avro',
      'application/cloudevents+json; charset=utf-16',
      'application/cloudevents',
    ]) {
      assert.throws(
        () => decodeMessage(['content-type', type], Buffer.from('x')),
        (error) => error instanceof EventFault && error.unsupportedMediaType,
      );
    }
  });
});
