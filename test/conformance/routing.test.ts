import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { formatFault, readManifest } from '@millrace/resources/manifest';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { trigger } from '../support/manifests.ts';
import type { TriggerOptions } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

// knative.md §4.1-4.3 and §11.1 "Routing", "Filter names", "New filters"; empty values and lists are refused (DESIGN §3).

const bus = await startBus();
const subscriber = await startSubscriber();
after(async () => {
  await bus[Symbol.asyncDispose]();
  await subscriber[Symbol.asyncDispose]();
});

type Filtering = Pick<TriggerOptions, 'filter' | 'filters'>;

/** Which of the triggers get a (structured) event; each has its name as the path at one subscriber. */
async function routed(triggers: Record<string, Filtering>, event: Record<string, unknown>): Promise<string[]> {
  const manifests = Object.entries(triggers).map(([name, filter]) => trigger(name, subscriber.url + name, filter));
  await bus.apply(manifests.join(''));
  const before = subscriber.received.length;
  const response = await fetch(`${bus.url}/default/default`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', id: '1', source: '/source', type: 'type', ...event }),
  });
  assert.equal(response.status, 202);
  await bus.settled();
  const got = subscriber.received.slice(before).map(({ path }) => path.slice(1));
  assert.equal(new Set(got).size, got.length, 'each trigger gets an event once');
  return got.toSorted();
}

const passes = async (filter: Filtering, event: Record<string, unknown>) =>
  (await routed({ one: filter }, event)).length === 1;

describe('an event goes to', () => {
  const ofType = (type: string): Filtering => ({ filters: [{ exact: { type } }] });

  test('a trigger without a filter', async () => {
    assert.deepEqual(await routed({ a: {} }, {}), ['a']);
  });
  test('no trigger of another type', async () => {
    assert.deepEqual(await routed({ a: ofType('other') }, {}), []);
  });
  test('the trigger of its type', async () => {
    assert.deepEqual(await routed({ a: ofType('type') }, {}), ['a']);
  });
  test('both of two that filter the same', async () => {
    assert.deepEqual(await routed({ a: ofType('type'), b: ofType('type') }, {}), ['a', 'b']);
  });
  test('only that one of several which matches', async () => {
    assert.deepEqual(await routed({ a: ofType('other'), b: ofType('type'), c: ofType('typ') }, {}), ['b']);
  });
  test('both of two without a filter', async () => {
    assert.deepEqual(await routed({ a: {}, b: {} }, {}), ['a', 'b']);
  });
  test('the first, whose reply of a new type goes to the second', async () => {
    await using first = await startSubscriber(() => ({
      status: 200,
      headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/first', 'ce-type': 'answered' },
    }));
    await using second = await startSubscriber();
    await using own = await startBus();
    await own.apply(
      trigger('first', first.url, ofType('asked')) +
        trigger('second', second.url, { filter: { attributes: { type: 'answered' } } }),
    );
    await post(`${own.url}/default/default`, { type: 'asked' });
    await own.settled();
    assert.deepEqual(
      [...first.received, ...second.received].map(({ event }) => event!.type),
      ['asked', 'answered'],
    );
  });
  test('triggers of its own broker only', async () => {
    await using got = await startSubscriber();
    await using own = await startBus();
    await own.apply(
      trigger('a', got.url) +
        trigger('b', got.url, { namespace: 'shop', annotations: { 'eventing.knative.dev/injection': 'enabled' } }),
    );
    await post(`${own.url}/shop/default`, { id: 'shop' });
    await post(`${own.url}/default/default`, { id: 'default' });
    await own.settled();
    const seen = got.received.map(({ event, headers }) => `${event!.id} in ${String(headers['kn-namespace'])}`);
    assert.deepEqual(seen.toSorted(), ['default in default', 'shop in shop']);
  });
  test('one of a thousand triggers', async () => {
    await using own = await startBus();
    const all = Array.from({ length: 1_000 }, (_, n) => trigger(`t${n}`, `${subscriber.url}t${n}`, ofType(`type${n}`)));
    await own.apply(all.join(''));
    const before = subscriber.received.length;
    await post(`${own.url}/default/default`, { type: 'type707' });
    await own.settled();
    assert.deepEqual(
      subscriber.received.slice(before).map(({ path }) => path),
      ['/t707'],
    );
  });
});

describe('the name of a filtered attribute', () => {
  const faults = (filtering: Filtering) =>
    readManifest(trigger('t', 'http://localhost/', filtering), 'test.yaml').faults.map(formatFault);
  const everywhere = (name: string): Filtering[] => [
    { filter: { attributes: { [name]: 'value' } } },
    { filters: [{ exact: { [name]: 'value' } }] },
    { filters: [{ prefix: { [name]: 'value' } }] },
    { filters: [{ suffix: { [name]: 'value' } }] },
    { filters: [{ not: { any: [{ all: [{ exact: { [name]: 'value' } }] }] } }] },
  ];

  for (const name of [
    'source',
    'id',
    'specversion',
    'type',
    'subject',
    'time',
    'datacontenttype',
    'dataschema',
    'aaa',
    'c1d2e3',
    'abcdefghijklmnopqrst',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'constructor',
  ]) {
    test(`may be ${name}`, () => {
      for (const filtering of everywhere(name)) assert.deepEqual(faults(filtering), []);
    });
  }
  for (const name of [
    'SOURCE',
    'Source',
    'souRce',
    's pace s',
    's_pace_s',
    's-pace-s',
    '123',
    '😊',
    '',
    '!@#$%^&*()-_=_`~+\\',
    '{}[];\':"<>,./?',
    '__proto__',
    'a\n',
  ]) {
    test(`may not be ${JSON.stringify(name)}`, () => {
      for (const filtering of everywhere(name)) assert.notDeepEqual(faults(filtering), []);
    });
  }
});

describe('filter.attributes', () => {
  const attributes = (wanted: Record<string, string>): Filtering => ({ filter: { attributes: wanted } });
  const full = {
    subject: 'subject',
    time: '2026-01-02T03:04:05.000000001Z',
    datacontenttype: 'Application/JSON; charset=utf-8',
    dataschema: 'https://example.com/',
    text: 'text',
    number: 5,
    flag: true,
    data: {},
  };

  test('must all be equal, to the letter', async () => {
    assert.equal(await passes(attributes({ type: 'type', source: '/source' }), {}), true);
    assert.equal(await passes(attributes({ type: 'type', source: '/other' }), {}), false);
    assert.equal(await passes(attributes({ type: 'Type' }), {}), false);
    assert.equal(await passes(attributes({ type: 'typ' }), {}), false);
  });
  test('may ask for every attribute of the context and for extensions', async () => {
    const { data: _, number: _number, flag: _flag, ...texts } = full;
    for (const [name, value] of Object.entries({ specversion: '1.0', id: '1', ...texts })) {
      assert.equal(await passes(attributes({ [name]: value }), full), true, name);
      assert.equal(await passes(attributes({ [name]: `${value}x` }), full), false, name);
    }
    assert.equal(await passes(attributes({ datamediatype: 'application/json' }), full), true);
    assert.equal(await passes(attributes({ schemaurl: 'https://example.com/' }), full), true);
  });
  test('that are empty ask for any value, which must be there', async () => {
    for (const name of ['type', 'subject', 'text', 'time']) {
      assert.equal(await passes(attributes({ [name]: '' }), full), true, name);
    }
    for (const name of ['subject', 'text', 'time'])
      assert.equal(await passes(attributes({ [name]: '' }), {}), false, name);
  });
  test('that the event does not have do not pass', async () => {
    assert.equal(await passes(attributes({ text: 'text' }), {}), false);
    assert.equal(await passes(attributes({ constructor: 'x' }), {}), false);
  });
  test('that are numbers or booleans equal no text', async () => {
    assert.equal(await passes(attributes({ number: '5' }), full), false);
    assert.equal(await passes(attributes({ flag: 'true' }), full), false);
  });
  test('never ask for data', async () => {
    assert.equal(await passes(attributes({ data: '' }), full), false);
  });
});

describe('filters', () => {
  const event = {
    type: 'com.example.order.created',
    source: '/orders/eu',
    subject: 'order-17',
    text: 'abc',
    number: 5,
    flag: true,
  };
  const matching: Record<string, unknown> = {
    exact: { exact: { type: 'com.example.order.created' } },
    'exact of several': { exact: { type: 'com.example.order.created', source: '/orders/eu' } },
    'exact of a number as text': { exact: { number: '5' } },
    'exact of a boolean as text': { exact: { flag: 'true' } },
    prefix: { prefix: { type: 'com.example.' } },
    'prefix of the whole': { prefix: { subject: 'order-17' } },
    suffix: { suffix: { type: '.created' } },
    'suffix of several': { suffix: { type: 'created', source: 'eu' } },
    all: { all: [{ exact: { text: 'abc' } }, { prefix: { source: '/orders' } }] },
    any: { any: [{ exact: { text: 'no' } }, { exact: { text: 'abc' } }] },
    'any of several exact': { any: [{ exact: { text: 'abc', number: '6' } }, { exact: { text: 'abc', number: '5' } }] },
    not: { not: { exact: { text: 'no' } } },
    'not of not': { not: { not: { exact: { text: 'abc' } } } },
    'not of what is missing': { not: { exact: { missing: 'x' } } },
    cesql: { cesql: "type LIKE 'com.example.%' AND number > 4" },
    'cesql of what exists': { cesql: 'EXISTS flag AND NOT EXISTS missing' },
    nothing: {},
    // Nothing to say stops no event, and neither does its contrary.
    'not of nothing': { not: {} },
  };
  const failing: Record<string, unknown> = {
    exact: { exact: { type: 'com.example.order' } },
    'exact in another case': { exact: { type: 'COM.example.order.created' } },
    'exact of several': { exact: { type: 'com.example.order.created', source: '/orders' } },
    'exact of what is missing': { exact: { missing: 'x' } },
    prefix: { prefix: { type: 'example' } },
    'prefix in another case': { prefix: { type: 'Com' } },
    'prefix of what is missing': { prefix: { missing: 'x' } },
    suffix: { suffix: { type: 'create' } },
    'suffix of what is missing': { suffix: { missing: 'x' } },
    'suffix of an attribute that is missing': { suffix: { dataschema: 'x' } },
    all: { all: [{ exact: { text: 'abc' } }, { prefix: { source: '/others' } }] },
    any: { any: [{ exact: { text: 'no' } }, { exact: { text: 'neither' } }] },
    not: { not: { exact: { text: 'abc' } } },
    cesql: { cesql: 'number > 5' },
    'cesql that is no boolean': { cesql: 'number' },
    'cesql that is text': { cesql: "'true'" },
    'cesql with an error': { cesql: 'missing = missing' },
    'cesql that divides by zero': { cesql: '1 / 0 = 0' },
  };

  for (const [what, filter] of Object.entries(matching)) {
    test(`pass: ${what}`, async () => {
      assert.equal(await passes({ filters: [filter] }, event), true);
    });
  }
  for (const [what, filter] of Object.entries(failing)) {
    test(`do not pass: ${what}`, async () => {
      assert.equal(await passes({ filters: [filter] }, event), false);
    });
  }

  test('must all pass', async () => {
    const good = { exact: { text: 'abc' } };
    assert.equal(await passes({ filters: [good, { prefix: { source: '/orders' } }] }, event), true);
    assert.equal(await passes({ filters: [good, { prefix: { source: '/others' } }] }, event), false);
  });
  test('make filter count for nothing', async () => {
    const filter = { attributes: { type: 'other' } };
    assert.equal(await passes({ filter, filters: [{ exact: { text: 'abc' } }] }, event), true);
    assert.equal(
      await passes({ filter: { attributes: { text: 'abc' } }, filters: [{ exact: { text: 'no' } }] }, event),
      false,
    );
  });
  test('that are empty leave filter in force', async () => {
    assert.equal(await passes({ filter: { attributes: { type: 'other' } }, filters: [] }, event), false);
    assert.equal(await passes({ filter: { attributes: { text: 'abc' } }, filters: [] }, event), true);
  });
  test('that are empty without a filter let everything pass', async () => {
    assert.equal(await passes({ filters: [] }, event), true);
  });
  test('of several triggers are each for its own', async () => {
    const triggers = Object.fromEntries(
      ['com.example', 'com', 'org', '/'].map((prefix, n) => [`t${n}`, { filters: [{ prefix: { type: prefix } }] }]),
    );
    assert.deepEqual(await routed(triggers, event), ['t0', 't1']);
  });

  const refused: Record<string, [filter: unknown, path: RegExp]> = {
    'two dialects in one': [{ exact: { type: 'x' }, prefix: { type: 'x' } }, /spec\.filters\[0\]/],
    'an unknown dialect': [{ regex: { type: 'x' } }, /spec\.filters\[0\]/],
    'an empty value': [{ exact: { type: '' } }, /spec\.filters\[0\]\.exact\.type/],
    'an empty value deep inside': [
      { all: [{ any: [{ not: { suffix: { type: '' } } }] }] },
      /spec\.filters\[0\]\.all\[0\]\.any\[0\]\.not\.suffix\.type/,
    ],
    'no attribute': [{ exact: {} }, /spec\.filters\[0\]\.exact/],
    'an empty all': [{ all: [] }, /spec\.filters\[0\]\.all/],
    'an empty any': [{ any: [] }, /spec\.filters\[0\]\.any/],
    'an expression that is none': [{ cesql: 'type = ' }, /spec\.filters\[0\]\.cesql/],
    'an expression deep inside that is none': [
      { not: { all: [{ cesql: '((' }] } },
      /filters\[0\]\.not\.all\[0\]\.cesql/,
    ],
  };
  for (const [what, [filter, path]] of Object.entries(refused)) {
    test(`are refused with their place: ${what}`, async () => {
      await assert.rejects(bus.apply(trigger('bad', 'http://localhost/', { filters: [filter] })), path);
    });
  }
});
