import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import { anyEvent, canonical } from '@millrace/event/arbitrary';
import { isJsonMediaType } from '@millrace/event/attributes';
import { makeEvent } from '@millrace/event/event';
import type { Attributes, CloudEvent } from '@millrace/event/event';

import { evaluatorForTests } from './evaluator.fixture.ts';
import { transformEvent } from './transform.ts';

const evaluator = evaluatorForTests();

const ATTRIBUTES = { specversion: '1.0', id: '1', source: '/orders', type: 'ordered' };
const eventOf = (attributes: Attributes, data?: string | Uint8Array) =>
  makeEvent({ ...ATTRIBUTES, ...attributes }, typeof data === 'string' ? Buffer.from(data) : data);

async function transformed(event: CloudEvent, expression: string): Promise<CloudEvent> {
  const result = await transformEvent(event, expression, evaluator);
  assert.equal(result.kind, 'event', JSON.stringify(result).slice(0, 300));
  return (result as { event: CloudEvent }).event;
}

describe('what an expression sees as data', () => {
  for (const [datacontenttype, data, seen] of [
    ['application/json', '{"a":1}', { data: { a: 1 } }],
    ['application/json; charset=utf-8', ' {"a": 1}\n', { data: { a: 1 } }],
    ['APPLICATION/JSON;charset="UTF-8"', '[1]', { data: [1] }],
    ['text/json', '{"a":1}', { data: { a: 1 } }],
    ['application/vnd.shop.order+json;v=2', '{"a":1}', { data: { a: 1 } }],
    ['application/json', '"text"', { data: 'text' }],
    ['application/json', '{"a":', { data_base64: 'eyJhIjo=' }],
    [undefined, '{"a":1}', { data: { a: 1 } }],
    [undefined, '42', { data: 42 }],
    [undefined, 'no JSON', { data_base64: 'bm8gSlNPTg==' }],
    ['text/plain', 'hello', { data: 'hello' }],
    ['text/plain; charset=utf-8', '{"a":1}', { data: '{"a":1}' }],
    ['text/plain; charset=iso-8859-1', 'hello', { data_base64: 'aGVsbG8=' }],
    ['text/plain', Buffer.from([0xff]), { data_base64: '/w==' }],
    ['text/csv; header=present', 'a,b', { data: 'a,b' }],
    ['application/xml', '<a/>', { data: '<a/>' }],
    ['application/soap+xml; charset=utf-8', '<a/>', { data: '<a/>' }],
    ['application/yaml', 'a: 1', { data: 'a: 1' }],
    ['application/octet-stream', '{"a":1}', { data_base64: 'eyJhIjoxfQ==' }],
    ['image/png', Buffer.from([0x89, 0x50]), { data_base64: 'iVA=' }],
    ['application/json', undefined, {}],
  ] as const) {
    test(`of ${datacontenttype ?? 'no media type'}: ${String(data).slice(0, 20)}`, async () => {
      const event = eventOf({ datacontenttype }, data);
      const expression = '{"specversion": "1.0", "id": "2", "source": "/t", "type": "t", "data": {"in": $}}';
      const { data: bytes } = await transformed(event, expression);
      const expected = datacontenttype === undefined ? ATTRIBUTES : { ...ATTRIBUTES, datacontenttype };
      assert.deepEqual(JSON.parse(Buffer.from(bytes!).toString()), { in: { ...expected, ...seen } });
    });
  }

  test('of an event of 0.3 with an encoding: the text of that', async () => {
    const encoded = eventOf(
      { specversion: '0.3', datacontenttype: 'application/json', datacontentencoding: 'base64' },
      'eyJhIjoxfQ==',
    );
    const { data } = await transformed(encoded, '$merge([$, {"subject": data}])');
    assert.equal(Buffer.from(data!).toString(), 'eyJhIjoxfQ==');
  });
});

describe('what an expression makes', () => {
  test('an event: of the attributes and data that the result has', async () => {
    const order = eventOf(
      { datacontenttype: 'application/json', team: 'a', time: '2026-01-31T12:00:00.123456789Z' },
      '{"n":1}',
    );
    const event = await transformed(order, '$merge([$, {"type": "big", "size": data.n * 10, "data": {"m": data.n}}])');
    assert.deepEqual(
      event,
      eventOf(
        {
          type: 'big',
          team: 'a',
          size: 10,
          time: '2026-01-31T12:00:00.123456789Z',
          datacontenttype: 'application/json',
        },
        '{"m":1}',
      ),
    );
  });

  test('JSON of data without a media type is application/json afterwards, as the JSON format says', async () => {
    const event = await transformed(eventOf({}, '{"a":1}'), '$');
    assert.deepEqual(event, eventOf({ datacontenttype: 'application/json' }, '{"a":1}'));
  });

  for (const [what, expression, contentType, body] of [
    ['an object', '{"a": data}', 'application/json', '{"a":1}'],
    [
      'an object that names its media type',
      '{"contenttype": "text/x", "a": 1}',
      'text/x',
      '{"contenttype":"text/x","a":1}',
    ],
    ['an object whose media type is nothing', '{"contenttype": ""}', 'application/json', '{"contenttype":""}'],
    ['a list', '[1, 2]', 'application/json', '[1,2]'],
    [
      'an object with a specversion deeper inside',
      '{"data": {"specversion": 1}}',
      'application/json',
      '{"data":{"specversion":1}}',
    ],
  ] as const) {
    test(`a document: ${what}`, async () => {
      const result = await transformEvent(eventOf({}, '1'), expression, evaluator);
      assert.deepEqual(result, { kind: 'document', message: { contentType, body: Buffer.from(body) } });
    });
  }

  for (const [what, expression, reason] of [
    ['nothing', 'missing', /no value for this input: expected an object/],
    ['a number', '1', /expected an object, got 1$/],
    ['a text', '$pad("", 1000, "x")', /expected an object, got "x{79}$/],
    ['null', 'null', /expected an object, got null$/],
    [
      'an event without an id',
      '$sift($, function($v, $k) { $k != "id" })',
      /id: expected a value, as it is required, got nothing/,
    ],
    [
      'an event of another version',
      '$merge([$, {"specversion": "2.0"}])',
      /specversion: expected "1\.0" or "0\.3", got "2\.0"/,
    ],
    ['an event with a time that is none', '$merge([$, {"time": $now()[0] & "!"}])', /time: expected a timestamp/],
    [
      'an extension that is an object',
      '$merge([$, {"team": {"a": 1}}])',
      /team: expected a string, a boolean or an integer of 32 bits, got an object/,
    ],
    ['an extension whose name is none', '$merge([$, {"Team": 1}])', /Team: expected a name of lower-case letters/],
    [
      'a media type that is none',
      '{"contenttype": "no\\r\\nSet-Cookie: a"}',
      /contenttype: expected text without control characters/,
    ],
    ['a media type that is a number', '{"contenttype": 5}', /contenttype: expected a string, got 5/],
    ['what it says itself', '$error("no customer")', /^no customer/],
  ] as const) {
    test(`a failure that names it: ${what}`, async () => {
      const result = await transformEvent(eventOf({}, '1'), expression, evaluator);
      assert.equal(result.kind, 'failed');
      assert.match((result as { reason: string }).reason, reason);
    });
  }
});

describe('1 MiB of data passes', () => {
  const SIZE = 1024 * 1024;
  for (const [what, datacontenttype, data] of [
    ['JSON', 'application/json', `"${'x'.repeat(SIZE - 2)}"`],
    [
      'JSON of many members',
      'application/json',
      JSON.stringify(Array.from({ length: 120_000 }, (_, index) => `${index}`)),
    ],
    ['bytes', 'application/octet-stream', Buffer.alloc(SIZE, 0xff)],
    ['text that JSON makes six times as long', 'text/plain', '\u0001'.repeat(SIZE)],
  ] as const) {
    test(what, async () => {
      const event = eventOf({ datacontenttype }, data);
      assert.ok(event.data!.byteLength > SIZE * 0.7 && event.data!.byteLength <= SIZE);
      assert.deepEqual(canonical(await transformed(event, '$')), canonical(event));
    });
  }
});

test('the expression that changes nothing gives the event that was there', async () => {
  await fc.assert(
    fc.asyncProperty(anyEvent, async (event) => {
      assert.deepEqual(meaning(await transformed(event, '$')), meaning(event));
    }),
    { numRuns: 1_000 },
  );
});

/** Of an event with JSON, what that says; and its media type, where it is the one that a missing one stands for. */
function meaning(event: CloudEvent): unknown {
  const { datacontenttype, data } = event;
  const all = canonical(event) as Record<string, unknown>;
  if (data === undefined || (datacontenttype !== undefined && !isJsonMediaType(datacontenttype))) return all;
  try {
    const json = JSON.parse(Buffer.from(data).toString()) as unknown;
    return { ...all, datacontenttype: datacontenttype ?? 'application/json', data: JSON.stringify(json) };
  } catch {
    return all;
  }
}
