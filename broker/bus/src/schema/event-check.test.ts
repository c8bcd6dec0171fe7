import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import { compileEventCheck } from './event-check.ts';

const event = (attributes: Record<string, string>, data: string | undefined = '1') =>
  makeEvent(
    { specversion: '1.0', id: '1', source: '/shop', type: 'order', ...attributes },
    data === undefined ? undefined : Buffer.from(data),
  );
const NUMBER = '{"type":"number"}';
const TEXT = '{"type":"string"}';
const V1 = 'https://example.com/v1';
const V2 = 'https://example.com/v2';

describe('an event', () => {
  test('is held against the schema of its type, and no other', () => {
    const check = compileEventCheck([{ type: 'order', schema: NUMBER }]);
    assert.equal(check(event({}, '1')), undefined);
    assert.equal(check(event({}, '"1"')), 'the data is not as the schema of order wants it: it must be number');
    assert.equal(check(event({ type: 'ticket' }, '"1"')), undefined);
  });

  test('of a source that has schemas of its own is held against those', () => {
    const check = compileEventCheck([
      { type: 'order', schema: NUMBER },
      { type: 'order', source: '/till', schema: TEXT },
    ]);
    assert.equal(check(event({ source: '/till' }, '"1"')), undefined);
    assert.match(check(event({ source: '/till' }, '1')) ?? '', /must be string/);
    assert.equal(check(event({}, '1')), undefined);
  });

  test('that names its schema is held against that one', () => {
    const check = compileEventCheck([
      { type: 'order', dataschema: V1, schema: NUMBER },
      { type: 'order', dataschema: V2, schema: TEXT },
    ]);
    assert.equal(check(event({ dataschema: V2 }, '"1"')), undefined);
    assert.equal(check(event({ dataschema: V1 }, '"1"')), `the data is not as ${V1} wants it: it must be number`);
  });

  test('that names none is taken when one of them takes it', () => {
    const check = compileEventCheck([
      { type: 'order', dataschema: V1, schema: NUMBER },
      { type: 'order', dataschema: V2, schema: TEXT },
    ]);
    assert.equal(check(event({}, '"1"')), undefined);
    assert.equal(check(event({}, '1')), undefined);
    assert.equal(check(event({}, 'null')), `the data is not as ${V1} wants it: it must be number`);
  });

  test('that names one that nobody has registered is held against those without a name, if there are any', () => {
    const named = { type: 'order', dataschema: V1, schema: NUMBER };
    assert.equal(compileEventCheck([named])(event({ dataschema: V2 }, 'null')), undefined);
    const check = compileEventCheck([named, { type: 'order', schema: TEXT }]);
    assert.match(check(event({ dataschema: V2 }, '1')) ?? '', /must be string/);
  });

  for (const datacontenttype of ['application/json', 'application/JSON; charset=utf-8', 'application/vnd.shop+json']) {
    test(`with ${datacontenttype} is read as JSON`, () => {
      const check = compileEventCheck([{ type: 'order', schema: NUMBER }]);
      assert.equal(check(event({ datacontenttype }, '1')), undefined);
      assert.match(check(event({ datacontenttype }, '[]')) ?? '', /must be number/);
    });
  }

  for (const [what, attributes, data, why] of [
    ['has no data', {}, undefined, 'there is no data, and a schema is there for it'],
    ['has data that is no JSON', {}, '{', 'the data is not JSON, and a schema is there for it'],
    [
      'is no JSON by what it says',
      { datacontenttype: 'text/plain' },
      '1',
      'the data is text/plain; a schema is there for JSON',
    ],
  ] as const) {
    test(`that ${what} is not as its schema wants it`, () => {
      const check = compileEventCheck([{ type: 'order', schema: NUMBER }]);
      const made =
        data === undefined
          ? makeEvent({ specversion: '1.0', id: '1', source: '/', type: 'order' }, undefined)
          : event(attributes, data);
      assert.equal(check(made), why);
    });
  }
});
