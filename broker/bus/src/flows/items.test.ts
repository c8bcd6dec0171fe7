import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import { parseItemsPath } from '@millrace/resources/items-path';

import type { Entry } from '../log/log.ts';
import { itemEvent, Items, itemsOf, MOST_ITEMS } from './items.ts';

const eventOf = (data: unknown) => {
  const bytes = data === undefined ? undefined : Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
  return makeEvent({ specversion: '1.0', id: '7', source: '/s', type: 't', subject: 'x', color: 'red' }, bytes);
};
const at = (path: string) => parseItemsPath(path)!;

describe('the list of a Map', () => {
  test('is found by its path', () => {
    assert.deepEqual(itemsOf(eventOf([1, 2]), at('$')), ['1', '2']);
    assert.deepEqual(itemsOf(eventOf({ order: { lines: [{ a: 1 }] } }), at('$.order.lines')), ['{"a":1}']);
    assert.deepEqual(itemsOf(eventOf([{ 'the list': [] }]), at("$[0]['the list']")), []);
  });

  const refused: readonly (readonly [what: string, data: unknown, path: string, message: RegExp])[] = [
    ['there are no data', undefined, '$', /has no data, so there is no list at \$$/],
    ['the data are no JSON', '{', '$.a', /is not JSON, so there is no list at \$\.a$/],
    ['the path leads nowhere', { a: {} }, '$.a.b', /expected a list at \$\.a\.b, got nothing$/],
    ['the path leads to something else', { a: 'b' }, '$.a', /expected a list at \$\.a, got a text$/],
    ['the path leads to what objects have without being said', {}, '$.constructor', /got nothing$/],
    [
      'there are more items than it may have',
      Array.from({ length: MOST_ITEMS + 1 }, () => 0),
      '$',
      /the list at \$ has 10001 items; a Map takes at most 10000$/,
    ],
  ];
  for (const [what, data, path, message] of refused) {
    test(`is refused for good when ${what}`, () => {
      assert.throws(
        () => itemsOf(eventOf(data), at(path)),
        (error) => error instanceof HandlerFailure && error.status === 422 && message.test(error.message),
      );
    });
  }

  test('may be as long as it may be', () => {
    assert.equal(itemsOf(eventOf(Array.from({ length: MOST_ITEMS }, () => 0)), at('$')).length, MOST_ITEMS);
  });

  test('is read anew a few times, and gives each item as it is', () => {
    const texts = Array.from({ length: 5_000 }, (_, index) => JSON.stringify({ index, rest: 'ä'.repeat(index % 300) }));
    let reads = 0;
    const items = new Items(() => {
      reads += 1;
      return texts;
    });
    assert.equal(items.length, texts.length);
    const got = texts.map((_, index) => Buffer.from(items.at(index)).toString());
    assert.deepEqual(got, texts);
    assert.ok(reads > 1 && reads <= 20, `${reads} reads`);
    // A Map that begins half way asks for what lies between.
    assert.equal(Buffer.from(items.at(17)).toString(), texts[17]);
  });

  test('makes events of its items that are like the one that it came with', () => {
    const item = itemEvent({ event: eventOf([]) } as unknown as Entry, 'map/default/m', 3, Buffer.from('{"a":1}'));
    assert.deepEqual(JSON.parse(Buffer.from(item.data!).toString()), { a: 1 });
    const { id, source, type, subject, extensions, datacontenttype } = item;
    assert.deepEqual(
      { id, source, type, subject, color: extensions['color'], datacontenttype },
      {
        id: '7-3',
        source: '/flows/map/default/m',
        type: 't',
        subject: 'x',
        color: 'red',
        datacontenttype: 'application/json',
      },
    );
  });
});
