import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEvent } from '@millrace/event/event';
import { attributeReader, isAttributeName, textReader } from './attribute.ts';

const bare = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, undefined);
const full = makeEvent(
  {
    specversion: '1.0',
    id: '1',
    source: '/s',
    type: 't',
    subject: 'sub',
    time: '2018-04-26T14:48:09+02:00',
    datacontenttype: 'Text/Plain; charset=utf-8',
    dataschema: 'http://schema/1',
    integer: 5,
    flag: false,
    constructor: 'mine',
  },
  undefined,
);

describe('reading an attribute', () => {
  const rows: [name: string, value: unknown][] = [
    ['specversion', '1.0'],
    ['id', '1'],
    ['source', '/s'],
    ['type', 't'],
    ['subject', 'sub'],
    ['time', '2018-04-26T14:48:09+02:00'],
    ['datacontenttype', 'Text/Plain; charset=utf-8'],
    ['datamediatype', 'text/plain'],
    ['dataschema', 'http://schema/1'],
    ['schemaurl', 'http://schema/1'],
    ['integer', 5],
    ['flag', false],
    ['constructor', 'mine'],
    ['toString', undefined],
    ['data', undefined],
    ['absent', undefined],
  ];
  for (const [name, value] of rows) {
    test(`${name} is ${String(value)}`, () => assert.equal(attributeReader(name)(full), value));
  }

  test('an optional attribute that the event does not have is undefined', () => {
    for (const name of ['subject', 'time', 'datacontenttype', 'datamediatype', 'dataschema']) {
      assert.equal(attributeReader(name)(bare), undefined);
    }
  });

  test('an event of 0.3 has its schemaurl under both names, and its datacontentencoding', () => {
    const old = makeEvent(
      { specversion: '0.3', id: '1', source: '/s', type: 't', schemaurl: '/schema', datacontentencoding: 'base64' },
      undefined,
    );
    assert.equal(attributeReader('schemaurl')(old), '/schema');
    assert.equal(attributeReader('dataschema')(old), '/schema');
    assert.equal(attributeReader('datacontentencoding')(old), 'base64');
  });

  test('as text, numbers and booleans are written out and what is absent stays absent', () => {
    assert.equal(textReader('integer')(full), '5');
    assert.equal(textReader('flag')(full), 'false');
    assert.equal(textReader('subject')(bare), undefined);
  });
});

describe('names of attributes in filters', () => {
  const accepted = ['source', 'id', 'specversion', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'aaa'];
  for (const name of [...accepted, 'c1d2e3', 'abcdefghijklmnopqrst', 'a'.repeat(100)]) {
    test(`${name} is one`, () => assert.equal(isAttributeName(name), true));
  }
  const refused = ['SOURCE', 'Source', 'souRce', 's pace s', 's_pace_s', 's-pace-s', '123', '1a', '😊', '', 'a\n'];
  for (const name of [...refused, '!@#$%^&*()-_=_`~+\\', '{}[];\':"<>,./?', 'é']) {
    test(`${JSON.stringify(name)} is none`, () => assert.equal(isAttributeName(name), false));
  }
});
