import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { anyEvent, canonical } from '@millrace/event/arbitrary';
import { encodeKafka } from '@millrace/event/kafka';
import * as fc from 'fast-check';

import { chunksOf } from './chunks.ts';
import type { KafkaRecord } from './client.ts';
import type { KeyType } from './key.ts';
import { mapRecord } from './record.ts';

const MAPPING = { namespace: 'ns', name: 'src', keyType: 'string', extensions: {} } as const;

function record(changes: Partial<KafkaRecord> = {}): KafkaRecord {
  const timestamp = Date.parse('2026-01-31T12:00:00.123Z');
  const place = { topic: 'orders', partition: 3, offset: '9007199254740993', timestamp };
  return { ...place, key: null, value: Buffer.from('x'), headers: {}, ...changes };
}

function mapped(changes: Partial<KafkaRecord>, keyType: KeyType = 'string', extensions: Record<string, string> = {}) {
  const result = mapRecord(record(changes), { ...MAPPING, keyType, extensions });
  assert.ok('event' in result);
  return result.event;
}

describe('a record that is no event', () => {
  test('is described by its place, as Knative describes it', () => {
    const { data, extensions, ...attributes } = mapped({});
    assert.deepEqual(attributes, {
      specversion: '1.0',
      id: 'partition:3/offset:9007199254740993',
      source: '/apis/v1/namespaces/ns/kafkasources/src#orders',
      type: 'dev.knative.kafka.event',
      subject: 'partition:3#9007199254740993',
      time: '2026-01-31T12:00:00.123Z',
      datacontenttype: undefined,
      dataschema: undefined,
    });
    assert.deepEqual([Buffer.from(data!).toString(), { ...extensions }], ['x', {}]);
  });

  const float = Buffer.alloc(4);
  float.writeFloatBE(0.1);
  const double = Buffer.alloc(8);
  double.writeDoubleBE(0.1);
  const keys: [type: KeyType, key: Buffer, value: string | number][] = [
    ['string', Buffer.from('käse'), 'käse'],
    ['string', Buffer.from([0xff]), '/w=='],
    ['string', Buffer.from('a\nb'), 'YQpi'],
    ['int', Buffer.from([255, 255, 255, 254]), -2],
    ['int', Buffer.from('12345'), '12345'],
    ['float', float, '0.1'],
    ['float', double, '0.1'],
    ['float', Buffer.from('1.5'), '1.5'],
    ['byte-array', Buffer.from('text'), 'dGV4dA=='],
  ];
  for (const [type, key, value] of keys) {
    test(`has its key of type ${type} as ${value}`, () => {
      const { extensions } = mapped({ key }, type);
      assert.deepEqual({ ...extensions }, { partitionkey: value, key: value });
    });
  }

  test('has its headers as extensions, and the content type as its own', () => {
    const headers = {
      'Content-TYPE': Buffer.from('Application/JSON'),
      'X-Trace_Id': Buffer.from('a'),
      again: [Buffer.from('1'), Buffer.from('2')],
      binary: Buffer.from([0, 1]),
    };
    const event = mapped({ headers });
    assert.equal(event.datacontenttype, 'application/json');
    assert.deepEqual(
      { ...event.extensions },
      { kafkaheaderxtraceid: 'a', kafkaheaderagain: '2', kafkaheaderbinary: 'AAE=' },
    );
  });

  test('keeps a content type that is none as any other header', () => {
    const event = mapped({ headers: { 'content-type': Buffer.from('json') } });
    assert.equal(event.datacontenttype, undefined);
    assert.equal(event.extensions['kafkaheadercontenttype'], 'json');
  });

  test('has no time when the record has none', () => {
    assert.equal(mapped({ timestamp: -1 }).time, undefined);
    assert.equal(mapped({ timestamp: Number.MAX_SAFE_INTEGER }).time, undefined);
  });

  test('whatever its bytes are, it becomes an event or is parked', () => {
    const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));
    const headers = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('ce_specversion', 'ce_id', 'content-type')),
      bytes,
    );
    const keyTypes = fc.constantFrom<KeyType>('string', 'int', 'float', 'byte-array');
    fc.assert(
      fc.property(fc.option(bytes), fc.option(bytes), headers, keyTypes, (key, value, headers, keyType) => {
        mapRecord(record({ key, value, headers }), { ...MAPPING, keyType });
      }),
    );
  });
});

describe('a record that is an event', () => {
  test('passes as it is, whatever the mode', () => {
    fc.assert(
      fc.property(anyEvent, fc.constantFrom('binary', 'structured'), (event, mode) => {
        const { headers, ...rest } = encodeKafka(event, mode);
        const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
        assert.deepEqual(canonical(mapped({ ...rest, headers: bytes })), canonical(event));
      }),
    );
  });

  test('gets the overrides over its own extensions', () => {
    const headers = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't', ce_team: 'red' };
    const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
    assert.equal(mapped({ headers: bytes }, 'string', { team: 'blue' }).extensions['team'], 'blue');
    assert.equal(mapped({ key: Buffer.from('k') }, 'string', { key: 'blue' }).extensions['key'], 'blue');
  });
});

describe('a record that cannot be delivered is parked with its bytes and the reason:', () => {
  const cases: [what: string, changes: Partial<KafkaRecord>, reason: RegExp][] = [
    ['a tombstone', { key: Buffer.from('k'), value: null }, /has no value \(a tombstone\)/],
    [
      'a malformed event',
      { headers: { ce_specversion: Buffer.from('1.0') } },
      /means to be a CloudEvent: id: expected/,
    ],
    [
      'a malformed structured event',
      { headers: { 'content-type': Buffer.from('application/cloudevents+json') } },
      /body: expected a JSON document/,
    ],
    [
      'more headers than an event can carry',
      { headers: Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`h${index}`, Buffer.from('x')])) },
      /at most 500 Kafka headers/,
    ],
  ];
  for (const [what, changes, reason] of cases) {
    test(what, () => {
      const result = mapRecord(record(changes), MAPPING);
      assert.ok('parked' in result);
      assert.equal(result.parked.type, 'dev.knative.kafka.event');
      assert.deepEqual(result.parked.data, changes.value === null ? undefined : Buffer.from('x'));
      assert.match(result.reason, reason);
    });
  }
});

describe('chunks', () => {
  test('keep all records in order, none empty, none too large but a single record', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(600_000, 2_000_000)), {
      maxLength: 1200,
      size: 'max',
    });
    const shared = Buffer.alloc(2_000_000);
    fc.assert(
      fc.property(sizes, (sizes) => {
        const records = sizes.map((size) => record({ value: shared.subarray(0, size) }));
        const chunks = [...chunksOf(records)];
        assert.ok(chunks.flat().every((each, index) => each === records[index]));
        assert.equal(chunks.flat().length, records.length);
        for (const chunk of chunks) {
          const bytes = chunk.reduce((sum, { value }) => sum + value!.byteLength, 0);
          assert.ok(chunk.length > 0 && chunk.length <= 500 && (chunk.length === 1 || bytes <= 1024 * 1024));
        }
      }),
      { numRuns: 50 },
    );
  });
});
