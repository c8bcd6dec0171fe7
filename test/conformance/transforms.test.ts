import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { declare, jsonOf, refTo, replyEvent } from '../support/flows.ts';
import { broker, trigger } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Subscriber } from '../support/subscriber.ts';

// knative.md §1.6, with data of any JSON content type and up to 1 MiB.

const transform = (name: string, expression: string, spec: object = {}) =>
  declare('EventTransform', name, { jsonata: { expression }, ...spec });
const asEvent = (data: string) =>
  `{ "specversion": "1.0", "id": id, "source": "/transformed", "type": "made", "data": ${data} }`;
const at = (bus: TestBus, name: string) => `${bus.url}/transforms/default/${name}`;
const EVENT = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/s', 'ce-type': 'asked' };

describe('an EventTransform over HTTP', () => {
  let bus: TestBus;
  let sink: Subscriber;
  before(async () => {
    bus = await startBus();
    sink = await startSubscriber();
    const uri = (path: string) => ({ uri: sink.url + path });
    await bus.apply(
      transform('event', asEvent('data.n + 1')) +
        transform('document', '{ "n": data.n }') +
        transform('named', '{ "contenttype": "application/x-mine", "n": 1 }') +
        transform('number', 'data.n') +
        transform('nothing', 'data.absent') +
        transform('throws', '$error("not like this")') +
        transform('loops', '($f := function($n) { $f($n + 1) }; $f(0))') +
        transform('sends', asEvent('"sent"'), { sink: uri('plain') }) +
        transform('discards', asEvent('1'), { sink: uri('answers'), reply: { discard: true } }) +
        transform('answers', asEvent('1'), {
          sink: uri('answers'),
          reply: { jsonata: { expression: '{ "got": data }' } },
        }) +
        transform('enters', asEvent('1'), { sink: refTo('InMemoryChannel', 'in') }) +
        declare('InMemoryChannel', 'in') +
        transform('lost', asEvent('1'), { sink: { uri: 'http://127.0.0.1:1/' } }),
    );
  });
  after(async () => {
    await bus[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
  });

  const ask = (name: string, data = '{"n":1}', headers: Record<string, string> = {}) =>
    fetch(at(bus, name), {
      method: 'POST',
      headers: { ...EVENT, 'content-type': 'application/json', ...headers },
      body: data,
    });

  const answers: Record<string, [name: string, status: number, contentType: string | null, body: unknown]> = {
    'answers with the event that it makes': [
      'event',
      200,
      'application/cloudevents+json',
      { specversion: '1.0', id: 'e1', source: '/transformed', type: 'made', data: 2 },
    ],
    'answers with a document, which is no event without a specversion': ['document', 200, 'application/json', { n: 1 }],
    'answers with the content type that the result names': [
      'named',
      200,
      'application/x-mine',
      { contenttype: 'application/x-mine', n: 1 },
    ],
    'transforms the answer of its sink': ['answers', 200, 'application/json', { got: { sunk: true } }],
  };
  for (const [what, [name, status, contentType, body]] of Object.entries(answers)) {
    test(what, async () => {
      sink.answer(() => replyEvent('sunk', { sunk: true }));
      const response = await ask(name);
      assert.equal(response.status, status);
      assert.equal(response.headers.get('content-type'), contentType);
      assert.deepEqual(await response.json(), body);
    });
  }

  const refusals: Record<string, [name: string, status: number, reason: RegExp]> = {
    'a result that is no object': ['number', 500, /expected an object, got 1/],
    'a result that is not there': ['nothing', 500, /no value/],
    'an expression that throws': ['throws', 500, /not like this/],
    'an expression that does not end': ['loops', 500, /./],
    'a sink that does not answer': ['lost', 500, /sink/],
  };
  for (const [what, [name, status, reason]] of Object.entries(refusals)) {
    test(`answers ${what} with ${status}, and the reason in a header`, async () => {
      const response = await ask(name);
      assert.equal(response.status, status);
      assert.match(response.headers.get('reason') ?? '', reason);
    });
  }

  test('refuses a batch with 400 and Knative’s words, and every method but POST with 405', async () => {
    const batch = await fetch(at(bus, 'event'), {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: '[]',
    });
    assert.deepEqual([batch.status, batch.headers.get('reason')], [400, 'Unsupported batch input']);
    const got = await fetch(at(bus, 'event'));
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST']);
  });

  test('sends what it makes to its sink, whose status and event are the answer', async () => {
    sink.answer(() => ({ ...replyEvent('sunk', { sunk: true }), status: 207 }));
    const earlier = sink.received.length;
    const response = await ask('sends', '{}', { 'x-request-id': 'r1' });
    assert.equal(response.status, 207);
    assert.equal(response.headers.get('ce-type'), 'sunk');
    assert.deepEqual(await response.json(), { sunk: true });
    const got = sink.received[earlier]!;
    assert.deepEqual([got.path, got.event!.type, jsonOf(got.event)], ['/plain', 'made', 'sent']);
    assert.equal(got.headers['x-request-id'], 'r1');
  });

  test('answers without a body where the answer of the sink is discarded', async () => {
    sink.answer(() => replyEvent('sunk', { sunk: true }));
    const response = await ask('discards');
    assert.deepEqual([response.status, await response.text()], [200, '']);
  });

  test('may have a channel as its sink', async () => {
    assert.equal((await ask('enters')).status, 202);
    const { topic, event } = bus.entries().at(-1)!;
    assert.deepEqual([topic, event.type], ['channel/default/in', 'made']);
  });

  for (const [contentType, data, seen] of [
    ['application/json', '{"n":41}', 42],
    ['application/vnd.mine+json; charset=utf-8', '{"n":41}', 42],
    ['text/json', '{"n":41}', 42],
    ['', '{"n":41}', 42],
  ] as const) {
    test(`reads data ${contentType === '' ? 'without a content type' : `of ${contentType}`}`, async () => {
      const headers = contentType === '' ? EVENT : { ...EVENT, 'content-type': contentType };
      const response = await fetch(at(bus, 'event'), { method: 'POST', headers, body: Buffer.from(data) });
      assert.equal(((await response.json()) as { data: unknown }).data, seen);
    });
  }

  test('takes data of 1 MiB, and says so of more', async () => {
    const text = (bytes: number) => JSON.stringify({ n: 1, text: 'x'.repeat(bytes - '{"n":1,"text":""}'.length) });
    assert.equal((await ask('event', text(1024 * 1024))).status, 200);
    assert.equal((await ask('event', text(1024 * 1024 + 128 * 1024))).status, 413);
  });

  test('is there under the host name that it has in a cluster', async () => {
    const { hostname, port } = new URL(bus.url);
    const headers = { ...EVENT, host: 'event-jsonata.default.svc.cluster.local', 'content-type': 'application/json' };
    const status = await new Promise((resolve, reject) => {
      request({ hostname, port, method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end('{"n":1}');
    });
    assert.equal(status, 200);
  });

  test('has the conditions that Knative’s has', () => {
    const { conditions, url } = bus.bus.control.plan.statuses.get('EventTransform/default/event')!;
    assert.deepEqual(
      conditions.map(({ type, status }) => `${type}=${status}`),
      ['Ready=True', 'TransformationReady=True', 'Addressable=True', 'EventPoliciesReady=True'],
    );
    assert.equal(url, at(bus, 'event'));
  });
});

describe('an EventTransform as a subscriber', () => {
  test('of a Trigger replies with what it makes', async () => {
    await using taker = await startSubscriber();
    await using bus = await startBus();
    const spec = {
      broker: 'default',
      filters: [{ exact: { type: 'asked' } }],
      subscriber: refTo('EventTransform', 'event'),
    };
    await bus.apply(
      broker() +
        declare('Trigger', 'transformed', spec) +
        transform('event', asEvent('data.n + 1')) +
        trigger('taker', taker.url, { filters: [{ exact: { type: 'made' } }] }),
    );
    await post(`${bus.url}/default/default`, { type: 'asked', data: '{"n":1}' });
    const [got] = await taker.count(1);
    assert.equal(jsonOf(got!.event), 2);
  });

  test('is a step of a Sequence; one that fails is not tried again, and tells why in its dead letter', async () => {
    await using taker = await startSubscriber();
    await using bus = await startBus();
    const steps = [refTo('EventTransform', 'event'), { uri: taker.url }];
    await bus.apply(
      declare('Sequence', 'made', { steps }) +
        transform('event', `data.n = 0 ? $error("n is zero") : ${asEvent('data.n + 1')}`),
    );
    await post(`${bus.url}/flows/sequence/default/made`, { data: '{"n":1}' });
    const [got] = await taker.count(1);
    assert.equal(jsonOf(got!.event), 2);
    await post(`${bus.url}/flows/sequence/default/made`, { data: '{"n":0}' });
    const [letter] = await bus.deadLetters(1);
    assert.deepEqual([letter!.route, letter!.attempts], ['sequence/default/made/event', 1]);
    assert.match(letter!.failure.message, /n is zero/);
  });
});
