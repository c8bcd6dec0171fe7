import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { compileCesql } from '@millrace/bus/filter/cesql/cesql';
import { anyEvent, canonical } from '@millrace/event/arbitrary';
import { EventFault, makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeHttp, decodeMessage, encodeBinary, encodeStructured } from '@millrace/event/http';
import { decodeKafka, encodeKafka } from '@millrace/event/kafka';
import { CloudEvent as SdkEvent, HTTP, Kafka } from 'cloudevents';
import type { Message } from 'cloudevents';
import * as fc from 'fast-check';

// The official SDK as a counterpart where it is right, and each place where it is not: the rows of a list that was
// observed with version 10.0.0. Should the SDK mend one, its test fails here and the row may go.

const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const minimal = { specversion: '1.0', id: '1', source: '/s', type: 't' };
const inHeaders = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' };

/** What the SDK reads of a message; an event without an index signature says little, so everything is unknown. */
const theirs = (headers: Record<string, unknown>, body?: unknown) =>
  HTTP.toEvent({ headers, body } as unknown as Message) as unknown as Record<string, unknown>;
const ours = (headers: Record<string, string>, body: string | Uint8Array = '') =>
  decodeHttp(Object.entries(headers).flat(), Buffer.from(body as string))!;
const structured = (more: object) => JSON.stringify({ ...minimal, ...more });
const text = (event: CloudEvent) => Buffer.from(event.data!).toString();
const faultOf = (attribute: string) => (error: unknown) => error instanceof EventFault && error.attribute === attribute;

describe('the SDK and we understand each other', () => {
  const plain = (value: string) => value.replaceAll(/[^!#$&-~]/g, '_');
  const json = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }).map((value) => JSON.stringify(value));
  const content = fc.oneof(
    json.map((value) => ({ datacontenttype: 'application/json', data: value })),
    fc.string({ minLength: 1, unit: 'grapheme' }).map((value) => ({ datacontenttype: 'text/plain', data: value })),
    fc.constant({ datacontenttype: 'text/plain', data: undefined }),
  );
  /** Events without what the rows below are about. */
  const tame = fc.tuple(anyEvent, content).map(([event, { datacontenttype, data }]) => {
    const extensions = Object.entries(event.extensions)
      .filter(([name]) => !(name in SdkEvent.prototype))
      .map(([name, value]) => [name, plain(String(value))] as const);
    return makeEvent(
      {
        ...Object.fromEntries(extensions),
        specversion: '1.0',
        id: plain(event.id),
        source: plain(event.source),
        type: plain(event.type),
        subject: event.subject === undefined ? undefined : plain(event.subject),
        time: `${event.time?.slice(0, 19) ?? '2026-01-02T03:04:05'}.678Z`,
        dataschema: event.dataschema === undefined ? undefined : plain(event.dataschema),
        datacontenttype,
      },
      data === undefined ? undefined : Buffer.from(data),
    );
  });
  const encode = { binary: encodeBinary, structured: encodeStructured };
  const encodeAgain = { binary: HTTP.binary<unknown>, structured: HTTP.structured<unknown> };
  const modes = ['binary', 'structured'] as const;

  for (const outward of modes) {
    for (const back of modes) {
      test(`${outward} to the SDK and ${back} back leaves an event equal`, () => {
        fc.assert(
          fc.property(tame, (event) => {
            const { headers, body } = encode[outward](event);
            const between = theirs(headers, body === undefined ? undefined : Buffer.from(body).toString());
            const message = encodeAgain[back](between as unknown as SdkEvent<unknown>);
            const returned = ours(message.headers as Record<string, string>, (message.body ?? '') as string);
            assert.deepEqual(canonical(returned), canonical(event));
          }),
          { numRuns: 300 },
        );
      });
    }
  }

  test('structured mode keeps the types of extensions', () => {
    const event = makeEvent({ ...minimal, number: -5, flag: true, text: '5' }, undefined);
    const { headers, body } = encodeStructured(event);
    const between = theirs(headers, Buffer.from(body!).toString());
    assert.deepEqual([between['number'], between['flag'], between['text']], [-5, true, '5']);
  });

  test('an event made by the SDK is what it says', () => {
    const made = new SdkEvent({ type: 't', source: '/s', data: { a: [1, 'x', null] }, myextension: 'y' });
    for (const message of [HTTP.binary(made), HTTP.structured(made)]) {
      const event = ours(message.headers as Record<string, string>, message.body as string);
      assert.equal(event.id, made.id);
      assert.equal(event.time, made.time);
      assert.equal(event.extensions['myextension'], 'y');
    }
  });
});

describe('where the SDK is wrong, we are right', () => {
  test('1: data_base64 of four bytes is four bytes', () => {
    const body = structured({ data_base64: 'AQIDBA==', datacontenttype: 'application/octet-stream' });
    const sent = HTTP.binary(theirs(STRUCTURED, body) as unknown as SdkEvent<unknown>).body as Uint32Array;
    assert.equal(sent.byteLength, 16);
    const event = ours(STRUCTURED, body);
    assert.deepEqual([...encodeBinary(event).body!], [1, 2, 3, 4]);
  });

  test('2: what an event lacks is refused, not made up', () => {
    assert.equal(theirs({ 'ce-id': '1', 'ce-specversion': '1.0' })['type'], undefined);
    assert.equal(theirs({ ...inHeaders, 'ce-specversion': '9.9' })['specversion'], '9.9');
    const { id: _, ...withoutId } = minimal;
    assert.match(String(theirs(STRUCTURED, JSON.stringify(withoutId))['id']), /^[\da-f-]{36}$/);

    assert.throws(() => ours({ 'ce-id': '1', 'ce-specversion': '1.0', 'ce-source': '/s' }), faultOf('type'));
    assert.throws(() => ours({ ...inHeaders, 'ce-specversion': '9.9' }), faultOf('specversion'));
    assert.throws(() => ours(STRUCTURED, JSON.stringify(withoutId)), faultOf('id'));
    const { specversion: _version, ...withoutVersion } = minimal;
    assert.throws(() => ours(STRUCTURED, JSON.stringify(withoutVersion)), faultOf('specversion'));
  });

  test('3: an absent time stays absent, and a wrong one is refused', () => {
    assert.notEqual(theirs(inHeaders)['time'], undefined);
    assert.match(String(theirs(STRUCTURED, structured({ time: 'lunchtime' }))['time']), /^\d{4}-/);

    assert.equal(ours(inHeaders).time, undefined);
    assert.equal('ce-time' in encodeBinary(ours(inHeaders)).headers, false);
    assert.throws(() => ours(STRUCTURED, structured({ time: 'lunchtime' })), faultOf('time'));
  });

  test('4: a time keeps its offset and its nanoseconds', () => {
    const time = '2026-01-02T03:04:05.123456789+01:00';
    assert.equal(theirs({ ...inHeaders, 'ce-time': time })['time'], '2026-01-02T02:04:05.123Z');
    assert.equal(encodeBinary(ours({ ...inHeaders, 'ce-time': time })).headers['ce-time'], time);
  });

  test('5: 0, false, "" and null are data', () => {
    for (const data of [0, false, '', null]) {
      assert.equal(theirs(STRUCTURED, structured({ data }))['data'], undefined);
      assert.equal(text(ours(STRUCTURED, structured({ data }))), JSON.stringify(data));
    }
  });

  test('6: a media type has no case, and neither has its charset', () => {
    const shouted = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
    const upper = { 'content-type': 'APPLICATION/CLOUDEVENTS+JSON' };
    assert.throws(() => theirs(shouted, structured({})), /invalid content type/);
    assert.throws(() => theirs(upper, structured({})), /no cloud event/i);
    assert.equal(ours(shouted, structured({})).id, '1');
    assert.equal(ours(upper, structured({})).id, '1');
  });

  test('7: headers are percent-encoded, in and out', () => {
    const encoded = 'Euro%20%E2%82%AC';
    assert.equal(theirs({ ...inHeaders, 'ce-subject': encoded })['subject'], encoded);
    const made = new SdkEvent({ ...minimal, subject: 'Euro €' });
    assert.equal(HTTP.binary(made).headers['ce-subject'], 'Euro €');

    const event = ours({ ...inHeaders, 'ce-subject': encoded });
    assert.equal(event.subject, 'Euro €');
    assert.equal(encodeBinary(event).headers['ce-subject'], encoded);
  });

  test('8: extensions are text, booleans or integers of 32 bits, under lower-case names', () => {
    for (const wrong of [{ ext: { a: 1 } }, { EXT: 'x' }, { ext: 2 ** 31 }]) {
      const [[name, value]] = Object.entries(wrong) as [[string, unknown]];
      assert.deepEqual(theirs(STRUCTURED, structured(wrong))[name], value);
      assert.throws(() => ours(STRUCTURED, structured(wrong)), faultOf(name));
    }
  });

  test('9: no header becomes a method', () => {
    const event = HTTP.toEvent({ headers: { ...inHeaders, 'ce-validate': 'x' }, body: '' }) as SdkEvent<unknown>;
    assert.throws(() => event.validate(), TypeError);
    for (const name of ['validate', 'emit', 'tostring', 'constructor', 'then']) {
      const held = ours({ ...inHeaders, [`ce-${name}`]: 'x' });
      assert.equal(held.extensions[name], 'x');
      assert.equal((held as unknown as Record<string, unknown>)[name], name in {} ? Object : undefined);
    }
  });

  test('10: Kafka headers are buffers, as clients give them', () => {
    const headers = Object.fromEntries(
      Object.entries({ ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't' }).map(([name, value]) => [
        name,
        Buffer.from(value),
      ]),
    );
    const typed = { ...headers, 'content-type': Buffer.from('text/plain') };
    const read = (held: object) => Kafka.toEvent({ headers: held, value: Buffer.from('x') } as unknown as Message);
    assert.throws(() => read(typed), /startsWith is not a function/);
    assert.ok(Buffer.isBuffer((read(headers) as unknown as Record<string, unknown>)['type']));

    const event = decodeKafka({ key: null, value: Buffer.from('x'), headers: typed })!;
    assert.deepEqual([event.id, event.type, event.datacontenttype], ['1', 't', 'text/plain']);
    assert.equal(decodeKafka({ key: null, value: Buffer.from('x'), headers })!.type, 't');
  });

  test('11: a Kafka record may have no value; nothing is added to it', () => {
    const headers = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't' };
    assert.throws(() => Kafka.toEvent({ headers, value: null } as unknown as Message), /null/);
    assert.equal(decodeKafka({ key: null, value: null, headers })!.data, undefined);

    const made = new SdkEvent({ ...minimal, datacontenttype: 'application/json', data: { a: 1 } });
    const record = Kafka.binary(made) as unknown as { value: unknown };
    assert.equal(Buffer.isBuffer(record.value) || typeof record.value === 'string', false);

    const event = ours({ ...inHeaders, 'content-type': 'application/json' }, '{"a": 1}');
    const binary = encodeKafka(event, 'binary');
    assert.equal(binary.value!.toString(), '{"a": 1}');
    assert.deepEqual(Object.keys(binary.headers).toSorted(), [
      'ce_id',
      'ce_source',
      'ce_specversion',
      'ce_type',
      'content-type',
    ]);
    assert.deepEqual(JSON.parse(encodeKafka(event, 'structured').value!.toString()), {
      ...minimal,
      datacontenttype: 'application/json',
      data: { a: 1 },
    });
  });

  test('12: a batch is bytes, and what is wrong with it is told by its place', () => {
    const batch = { 'content-type': 'application/cloudevents-batch+json' };
    const events = JSON.stringify([minimal, { ...minimal, id: '2' }]);
    assert.throws(() => theirs(batch, {}), SyntaxError);
    assert.throws(() => theirs(batch, '{}'), /forEach is not a function/);

    const read = (body: string) => decodeMessage(Object.entries(batch).flat(), Buffer.from(body))!;
    assert.deepEqual(
      read(events).map(({ id }) => id),
      ['1', '2'],
    );
    assert.throws(() => read('{}'), faultOf('body'));
    assert.throws(() => read(JSON.stringify([minimal, { ...minimal, id: '' }])), faultOf('[1].id'));
  });

  test('13: an event without a content type gains none', () => {
    const sent = HTTP.binary(theirs(inHeaders, 'x') as unknown as SdkEvent<unknown>);
    assert.equal(sent.headers['content-type'], 'application/json; charset=utf-8');
    assert.equal('content-type' in encodeBinary(ours(inHeaders, 'x')).headers, false);
  });

  test('14: JSON data is bytes, and no number in it changes', () => {
    const data = '{"n":9007199254740993, "n" : 1e2}';
    const headers = { ...inHeaders, 'content-type': 'application/json' };
    assert.equal(HTTP.binary(theirs(headers, data) as unknown as SdkEvent<unknown>).body, '{"n":100}');
    assert.equal(text(ours(headers, data)), data);
    const body = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${data}}`;
    assert.equal(text(ours(STRUCTURED, body)), data);
  });

  test('15: a structured body is parsed once', (context) => {
    const body = structured({ data: { a: 1 } });
    const parse = context.mock.method(JSON, 'parse');
    const parses = () => parse.mock.calls.filter((call) => call.arguments[0] === body).length;
    theirs(STRUCTURED, body);
    assert.equal(parses(), 2);
    parse.mock.resetCalls();
    ours(STRUCTURED, body);
    assert.equal(parses(), 1);
  });

  test('16: the speed of reading', { skip: 'no test asserts a time; test/bench measures' }, () => {});

  test('17: there is CESQL', () => {
    const event = ours({ ...inHeaders, 'ce-n': '5' });
    assert.equal(compileCesql("type = 't' AND n > 4").test(event), true);
  });

  test('18: modules of today, on any node that is new enough', () => {
    const manifest = (path: string) =>
      JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        type?: string;
        engines?: { node?: string };
        dependencies?: object;
      };
    const sdk = manifest('../../node_modules/cloudevents/package.json');
    assert.match(sdk.engines!.node!, /<=\s*24/);
    assert.equal(sdk.type, undefined);
    const event = manifest('../../broker/event/package.json');
    assert.equal(event.type, 'module');
    assert.doesNotMatch(event.engines?.node ?? '', /</);
    assert.deepEqual(Object.keys(event.dependencies ?? {}), ['undici']);
  });
});
