import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { broker, eventType, trigger } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

const ORDER = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } };
const checked = (how: string, delivery?: object) =>
  broker(delivery, { annotations: { 'millrace.dev/schema-validation': how } });
const WHY = 'the data is not as the schema of order wants it: /id must be integer';
const ONCE = { retry: 0 };

describe('a Broker that rejects what is not as its schema wants it', () => {
  test('answers 422 with the place in the data, and takes what is', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(checked('reject') + eventType('order', 'order', ORDER) + trigger('all', subscriber.url));
    const refused = await post(`${bus.url}/default/default`, { type: 'order', data: '{"id":"one"}' });
    assert.equal(refused.status, 422);
    assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.deepEqual(await refused.json(), {
      type: 'about:blank',
      title: 'Unprocessable Content',
      status: 422,
      detail: WHY,
    });
    assert.equal((await post(`${bus.url}/default/default`, { type: 'order', data: '{"id":1.0}' })).status, 202);
    assert.equal((await post(`${bus.url}/default/default`, { type: 'other', data: 'no JSON' })).status, 202);
    await subscriber.count(2);
    await bus.settled();
    // As it came: what is looked at is not written anew.
    assert.deepEqual(subscriber.received.map(({ body }) => body.toString()).toSorted(), ['no JSON', '{"id":1.0}']);
    assert.equal(bus.entries().length, 2);
  });

  test('takes all of a batch or nothing', async () => {
    await using bus = await startBus();
    await bus.apply(checked('reject') + eventType('order', 'order', ORDER));
    const event = (id: string, data: unknown) => ({ specversion: '1.0', id, source: '/test', type: 'order', data });
    const send = (events: object[]) =>
      fetch(`${bus.url}/default/default`, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      });
    assert.equal((await send([event('1', { id: 1 }), event('2', {})])).status, 422);
    assert.equal(bus.entries().length, 0);
    assert.equal((await send([event('1', { id: 1 }), event('2', { id: 2 })])).status, 202);
    assert.equal(bus.entries().length, 2);
  });

  test('takes no reply that is not: what was replied to is a dead letter that says why', async () => {
    await using subscriber = await startSubscriber(() => ({
      status: 200,
      headers: {
        'ce-specversion': '1.0',
        'ce-id': '2',
        'ce-source': '/agent',
        'ce-type': 'order',
        'content-type': 'application/json',
      },
      body: '{"id":"two"}',
    }));
    await using bus = await startBus();
    const filter = { attributes: { type: 'asked' } };
    const agent = trigger('agent', subscriber.url, { filter, delivery: ONCE });
    await bus.apply(checked('reject') + eventType('order', 'order', ORDER) + agent);
    await post(`${bus.url}/default/default`, { type: 'asked' });
    const [dead] = await bus.deadLetters(1);
    assert.equal(dead!.route, 'trigger/default/agent');
    assert.equal(dead!.failure.message, `the reply was not taken: ${WHY}`);
    assert.deepEqual(
      bus.entries().map(({ event }) => event.type),
      ['asked'],
    );
  });

  test('goes by the EventTypes of its own and of its whole namespace, as they are now', async () => {
    await using bus = await startBus();
    const send = async () => (await post(`${bus.url}/default/default`, { type: 'order', data: '{}' })).status;
    await bus.apply(checked('reject'));
    assert.equal(await send(), 202);
    await bus.apply(checked('reject') + eventType('order', 'order', ORDER, { reference: undefined }));
    assert.equal(await send(), 422);
    const others = { reference: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'other' } };
    await bus.apply(checked('reject') + eventType('order', 'order', ORDER, others));
    assert.equal(await send(), 202);
    await bus.apply(checked('reject') + eventType('order', 'order', ORDER));
    assert.equal(await send(), 422);
    await bus.apply(broker() + eventType('order', 'order', ORDER));
    assert.equal(await send(), 202);
  });
});

describe('a Broker that makes dead letters of what is not as its schema wants it', () => {
  test('delivers it to its dead letter sink, and to no Trigger', async () => {
    await using subscriber = await startSubscriber();
    await using sink = await startSubscriber();
    await using bus = await startBus();
    const dead = checked('dead-letter', { ...ONCE, deadLetterSink: { uri: sink.url } });
    await bus.apply(dead + eventType('order', 'order', ORDER) + trigger('all', subscriber.url));
    assert.equal((await post(`${bus.url}/default/default`, { type: 'order', data: '{"id":"one"}' })).status, 202);
    assert.equal((await post(`${bus.url}/default/default`, { type: 'order', data: '{"id":1}' })).status, 202);
    const [got] = await sink.count(1);
    await subscriber.count(1);
    await bus.settled();
    assert.equal(got!.body.toString(), '{"id":"one"}');
    const { knativeerrorcode, knativeerrordata } = got!.event!.extensions;
    assert.equal(knativeerrorcode, '422');
    assert.equal(Buffer.from(String(knativeerrordata), 'base64').toString(), WHY);
    assert.deepEqual(
      subscriber.received.map(({ body }) => body.toString()),
      ['{"id":1}'],
    );
  });

  test('keeps it without a sink; sent again it is held against the schema as it is by then', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    const all = checked('dead-letter') + trigger('all', subscriber.url);
    await bus.apply(all + eventType('order', 'order', ORDER));
    await post(`${bus.url}/default/default`, { id: 'e1', type: 'order', data: '{"id":"one"}' });
    const [letter] = await bus.deadLetters(1);
    assert.equal(letter!.route, 'mismatches/broker/default/default');
    assert.equal(letter!.failure.message, WHY);
    const again = () => bus.bus.redrive([letter!]);
    await again();
    await bus.deadLetters(1);
    assert.equal(subscriber.received.length, 0);

    await bus.apply(all + eventType('order', 'order', { ...ORDER, properties: { id: { type: 'string' } } }));
    await again();
    const [got] = await subscriber.count(1);
    await bus.settled();
    assert.deepEqual([got!.event!.id, got!.body.toString()], ['e1', '{"id":"one"}']);
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('keeps it also when it begins to ask while events come in', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    const rest = trigger('all', subscriber.url) + eventType('order', 'order', ORDER);
    await bus.apply(broker() + rest);
    const over = new AbortController();
    let sent = 0;
    const sending = (async () => {
      while (!over.signal.aborted) {
        const answer = await post(`${bus.url}/default/default`, { type: 'order', data: '{}' });
        assert.equal(answer.status, 202);
        sent += 1;
      }
    })();
    for (let round = 0; round < 10; round += 1) {
      await bus.apply(checked('dead-letter') + rest);
      await bus.apply(broker() + rest);
    }
    over.abort();
    await sending;
    await bus.apply(checked('dead-letter') + rest);
    await bus.settled();
    assert.ok(sent > 0);
    const dead = await bus.deadLetters(0);
    assert.equal(subscriber.received.length + dead.length, sent);
  });
});

for (const kind of ['Channel', 'InMemoryChannel', 'KafkaChannel']) {
  test(`a ${kind} may ask for it too`, async () => {
    await using bus = await startBus();
    const version = kind === 'KafkaChannel' ? 'v1beta1' : 'v1';
    const channel = {
      apiVersion: `messaging.knative.dev/${version}`,
      kind,
      metadata: { name: 'orders', annotations: { 'millrace.dev/schema-validation': 'reject' } },
    };
    const reference = { apiVersion: channel.apiVersion, kind, name: 'orders' };
    await bus.apply(`---\n${JSON.stringify(channel)}\n${eventType('order', 'order', ORDER, { reference })}`);
    const path = `${bus.url}/channels/default/orders`;
    assert.equal((await post(path, { type: 'order', data: '{}' })).status, 422);
    assert.equal((await post(path, { type: 'order', data: '{"id":1}' })).status, 202);
  });
}
