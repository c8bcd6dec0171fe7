import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { anyEvent, canonical } from './arbitrary.ts';
import { EventFault, makeEvent } from './event.ts';
import type { CloudEvent } from './event.ts';
import { decodeHttp, encodeBinary, encodeStructured } from './http.ts';
import type { HttpMessage } from './http.ts';
import { decodeJson, encodeJson } from './json.ts';
import { decodeKafka, encodeKafka, MAX_KAFKA_HEADERS } from './kafka.ts';
import type { EncodedKafkaMessage, KafkaMessage } from './kafka.ts';

const overHttp = ({ headers, body }: HttpMessage) =>
  decodeHttp(Object.entries(headers).flat(), body ?? new Uint8Array());

/** As a consumer of Kafka sees what a producer was given: header values are bytes. */
const overKafka = ({ key, value, headers }: EncodedKafkaMessage): KafkaMessage => ({
  key,
  value,
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
});

const hops: Record<string, (event: CloudEvent) => CloudEvent | undefined> = {
  'kafka binary': (event) => decodeKafka(overKafka(encodeKafka(event, 'binary'))),
  'kafka structured': (event) => decodeKafka(overKafka(encodeKafka(event, 'structured'))),
  'http binary': (event) => overHttp(encodeBinary(event)),
  'http structured': (event) => overHttp(encodeStructured(event)),
  json: (event) => decodeJson(encodeJson(event)),
};

const event = (attributes: Record<string, unknown> = {}, data?: Uint8Array) =>
  makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't', ...attributes }, data);

const BINARY = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't' };

describe('an event through Kafka', () => {
  test('any chain of Kafka, HTTP and JSON leaves it equal', () => {
    const chain = fc.array(fc.constantFrom(...Object.keys(hops)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyEvent, chain, (sent, names) => {
        let travelled: CloudEvent | undefined = sent;
        for (const name of names) travelled = hops[name]!(travelled!);
        assert.deepEqual(canonical(travelled!), canonical(sent));
      }),
      { numRuns: 1000 },
    );
  });

  test('header values are UTF-8 and not percent-encoded', () => {
    assert.equal(encodeKafka(event({ subject: 'größe 100%' }), 'binary').headers['ce_subject'], 'größe 100%');
  });

  test('the key is the partitionkey extension, which stays an attribute', () => {
    for (const mode of ['binary', 'structured'] as const) {
      const record = encodeKafka(event({ partitionkey: 'käse' }), mode);
      assert.deepEqual(record.key, Buffer.from('käse'));
      assert.equal(decodeKafka(record)!.extensions['partitionkey'], 'käse');
      assert.equal(encodeKafka(event(), mode).key, null);
    }
  });

  test('no data is a null value, and empty data an empty one', () => {
    assert.equal(encodeKafka(event(), 'binary').value, null);
    assert.equal(decodeKafka({ key: null, value: null, headers: BINARY })!.data, undefined);
    assert.deepEqual(decodeKafka(encodeKafka(event({}, Buffer.alloc(0)), 'binary'))!.data, Buffer.alloc(0));
  });

  test('a record of neither mode is no event', () => {
    assert.equal(decodeKafka({ key: null, value: Buffer.from('{}') }), undefined);
    assert.equal(decodeKafka({ key: null, value: null, headers: { 'content-type': 'application/json' } }), undefined);
    assert.equal(decodeKafka({ key: null, value: null, headers: { ce_id: '1', ce_specversion: null } }), undefined);
  });

  test('structured wins over ce_ headers, whatever the case of the header and its value', () => {
    const value = encodeJson(event({ id: '2' }));
    for (const headers of [
      { ...BINARY, 'content-type': 'application/cloudevents+json' },
      { ...BINARY, 'Content-Type': Buffer.from('Application/CloudEvents+JSON; charset=UTF-8') },
      { 'CONTENT-TYPE': ['text/plain', 'application/cloudevents+json'] },
    ]) {
      assert.equal(decodeKafka({ key: null, value, headers })!.id, '2');
    }
  });

  const refused: [what: string, record: Partial<KafkaMessage>, message: RegExp][] = [
    ['an attribute that is missing', { headers: { ce_specversion: '1.0' } }, /id: expected a value, as it is required/],
    ['an attribute given twice', { headers: { ...BINARY, ce_x: ['1', '2'] } }, /x: expected one header/],
    ['bytes that are not UTF-8', { headers: { ...BINARY, ce_x: Buffer.from([0xff]) } }, /x: expected text in UTF-8/],
    ['an attribute name in upper case', { headers: { ...BINARY, ce_X: '1' } }, /X: expected a name/],
    ['a content type that is none', { headers: { ...BINARY, 'content-type': 'json' } }, /datacontenttype: expected/],
    ['a structured null', { headers: { 'content-type': 'application/cloudevents+json' } }, /body: expected a JSON/],
    ['a batch', { headers: { 'content-type': 'application/cloudevents-batch+json' } }, /expected one event/],
    [
      'more headers than anybody needs',
      { headers: Object.fromEntries(Array.from({ length: MAX_KAFKA_HEADERS + 1 }, (_, index) => [`h${index}`, 'x'])) },
      /headers: expected at most 500 Kafka headers, got "501 headers"/,
    ],
    ['one header repeated too often', { headers: { h: Array<string>(501).fill('x') } }, /headers: expected at most/],
  ];
  for (const [what, record, message] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(
        () => decodeKafka({ key: null, value: null, ...record }),
        (error) => error instanceof EventFault && message.test(error.message),
      );
    });
  }

  test('never writes a record that it would refuse', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 'y']));
    assert.throws(() => encodeKafka(event(many), 'binary'), EventFault);
    assert.equal(Object.keys(decodeKafka(encodeKafka(event(many), 'structured'))!.extensions).length, 500);
  });
});
