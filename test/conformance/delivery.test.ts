import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { broker, trigger } from '../support/manifests.ts';
import { startRawServer } from '../support/raw.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Respond } from '../support/subscriber.ts';

// knative.md §3 and §11.1 "Delivery matrix", with the decisions of DESIGN §3.

const AT_ONCE = { backoffPolicy: 'linear', backoffDelay: 'PT0S' };

/** A subscriber that fails so many attempts first. */
const failing = (failures: number) => startSubscriber((_received, nth) => ({ status: nth <= failures ? 503 : 202 }));
const reply = (type: string, more: Partial<Respond> = {}): Respond => ({
  status: 200,
  headers: {
    'ce-specversion': '1.0',
    'ce-id': `reply-${type}`,
    'ce-source': '/reply',
    'ce-type': type,
    ...more.headers,
  },
  ...(more.body === undefined ? {} : { body: more.body }),
  ...(more.status === undefined ? {} : { status: more.status }),
});

describe('an event reaches its subscriber as it came, but for its time of arrival', () => {
  const minimum = { id: '1', source: '/source', type: 'type' };
  const full = {
    ...minimum,
    subject: 'a subject, "quoted" – 100 %',
    time: '2026-01-02T03:04:05.123456789+01:00',
    datacontenttype: 'application/json; charset=utf-8',
    exttext: 'ünïcode 😀',
    extnumber: '-5',
    extboolean: 'true',
    partitionkey: 'key',
  };
  const data = '{"number": 9007199254740993, "a":1,"a":2 }';

  for (const specversion of ['1.0', '0.3']) {
    const schema = { [specversion === '1.0' ? 'dataschema' : 'schemaurl']: 'https://example.com/schema?a=b#c' };
    for (const [size, attributes] of Object.entries({ min: minimum, full: { ...full, ...schema } })) {
      for (const sent of ['binary', 'structured']) {
        for (const format of ['binary', 'json']) {
          test(`${specversion}, ${size}, sent ${sent}, received in the format ${format}`, async () => {
            await using subscriber = await startSubscriber();
            await using bus = await startBus();
            await bus.apply(trigger('all', subscriber.url, { delivery: { format } }));
            const body = size === 'full' ? data : undefined;
            const { datacontenttype, ...context } = { datacontenttype: undefined, ...attributes };
            const request =
              sent === 'binary'
                ? {
                    headers: {
                      ...Object.fromEntries(
                        Object.entries({ specversion, ...context }).map(([name, value]) => [
                          `ce-${name}`,
                          encodeURIComponent(value),
                        ]),
                      ),
                      ...(datacontenttype === undefined ? {} : { 'content-type': datacontenttype }),
                    },
                    body: body ?? null,
                  }
                : {
                    headers: { 'content-type': 'application/cloudevents+json' },
                    body: `${JSON.stringify({ specversion, ...attributes }).slice(0, -1)}${body === undefined ? '' : `,"data":${body}`}}`,
                  };
            const { status } = await fetch(`${bus.url}/default/default`, { method: 'POST', ...request });
            assert.equal(status, 202);

            const [got] = await subscriber.count(1);
            const contentType = got!.headers['content-type'];
            if (format === 'json') assert.match(contentType!, /^application\/cloudevents\+json/);
            else assert.equal(contentType, datacontenttype);
            const { extensions, data: bytes, dataschema, ...rest } = got!.event!;
            const { knativearrivaltime, ...others } = extensions;
            assert.match(String(knativearrivaltime), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
            const { exttext, extnumber, extboolean, partitionkey } = full;
            assert.deepEqual(others, size === 'min' ? {} : { exttext, extnumber, extboolean, partitionkey });
            assert.equal(bytes === undefined ? undefined : Buffer.from(bytes).toString(), body);
            assert.equal(dataschema, size === 'min' ? undefined : 'https://example.com/schema?a=b#c');
            const { subject, time } = size === 'full' ? full : { subject: undefined, time: undefined };
            assert.deepEqual(rest, { specversion, ...minimum, subject, time, datacontenttype });
          });
        }
      }
    }
  }

  test('with the types of its extensions, in the format json', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('all', subscriber.url, { delivery: { format: 'json' } }));
    await fetch(`${bus.url}/default/default`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', ...minimum, number: -5, flag: true, text: '5' }),
    });
    const [got] = await subscriber.count(1);
    const { knativearrivaltime: _, ...extensions } = got!.event!.extensions;
    assert.deepEqual(extensions, { number: -5, flag: true, text: '5' });
  });

  test('with a time of arrival that is never the sender’s', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('all', subscriber.url));
    await post(`${bus.url}/default/default`, { extensions: { knativearrivaltime: '1999-01-01T00:00:00Z' } });
    const [got] = await subscriber.count(1);
    assert.doesNotMatch(String(got!.event!.extensions['knativearrivaltime']), /^1999/);
  });

  test('at the whole address of the subscriber: path and query', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('all', `${subscriber.url}a/b%20c?d=e&f=%26`));
    await post(`${bus.url}/default/default`, {});
    const [got] = await subscriber.count(1);
    assert.equal(got!.path, '/a/b%20c?d=e&f=%26');
  });
});

describe('the headers of a delivery', () => {
  test('ask for a reply and name the namespace', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(broker(undefined, { namespace: 'shop' }) + trigger('all', subscriber.url, { namespace: 'shop' }));
    await post(`${bus.url}/shop/default`, {});
    const [got] = await subscriber.count(1);
    assert.equal(got!.headers['prefer'], 'reply');
    assert.equal(got!.headers['kn-namespace'], 'shop');
  });

  test('are those of the sender that travel, and no other', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('all', subscriber.url));
    const travelling = { 'x-request-id': 'r', 'knative-hello': 'world', 'x-b3-traceid': 'b', tracestate: 'a=b' };
    const headers = {
      ...travelling,
      authorization: 'Bearer secret',
      cookie: 'a=b',
      'x-other': 'y',
      'user-agent': 'me',
    };
    await post(`${bus.url}/default/default`, { headers });
    const [got] = await subscriber.count(1);
    for (const [name, value] of Object.entries(travelling)) assert.equal(got!.headers[name], value, name);
    for (const name of ['authorization', 'cookie', 'x-other', 'user-agent']) {
      assert.equal(got!.headers[name], undefined, name);
    }
  });

  test('of an answer travel on with its reply', async () => {
    const headers = { 'x-request-id': 'r2', 'knative-hello': 'again', 'set-cookie': 'a=b' };
    await using first = await startSubscriber(() => reply('answered', { headers }));
    await using second = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(
      trigger('first', first.url, { filters: [{ exact: { type: 'asked' } }] }) +
        trigger('second', second.url, { filters: [{ exact: { type: 'answered' } }] }),
    );
    await post(`${bus.url}/default/default`, { type: 'asked', headers: { 'x-request-id': 'r1' } });
    const [got] = await second.count(1);
    assert.equal(got!.headers['x-request-id'], 'r2');
    assert.equal(got!.headers['knative-hello'], 'again');
    assert.equal(got!.headers['set-cookie'], undefined);
  });
});

describe('success', () => {
  for (const status of [200, 201, 202, 203, 204, 205, 226, 299]) {
    test(`is ${status} without a body`, async () => {
      await using subscriber = await startSubscriber(() => ({ status }));
      await using bus = await startBus();
      await bus.apply(trigger('all', subscriber.url));
      await post(`${bus.url}/default/default`, {});
      await subscriber.count(1);
      await bus.settled();
      assert.equal(subscriber.received.length, 1);
      assert.equal((await bus.deadLetters(0)).length, 0);
      assert.equal(bus.entries().length, 1);
    });
  }

  test('may come after a hint that it will take a while', async () => {
    await using subscriber = await startRawServer((socket) =>
      socket.end('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
    );
    await using bus = await startBus();
    await bus.apply(trigger('all', subscriber.url, { delivery: { retry: 0 } }));
    await post(`${bus.url}/default/default`, {});
    await bus.settled();
    assert.equal(subscriber.requests, 1);
    assert.equal((await bus.deadLetters(0)).length, 0);
  });
});

describe('a reply', () => {
  const replies: Record<string, Respond> = {
    'is an event in binary mode': reply('answered', { body: 'x', headers: { 'content-type': 'text/plain' } }),
    'is an event without data': reply('answered'),
    'may come with 202': reply('answered', { status: 202 }),
    'may come with 201': reply('answered', { status: 201 }),
    'may come with 204, all in its headers': reply('answered', { status: 204 }),
    'is an event in structured mode': {
      status: 200,
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      body: JSON.stringify({ specversion: '1.0', id: 'reply-answered', source: '/reply', type: 'answered', data: 'x' }),
    },
    'may be of version 0.3': reply('answered', { headers: { 'ce-specversion': '0.3' } }),
  };
  for (const [what, answer] of Object.entries(replies)) {
    test(`${what}, and goes to the broker of the trigger`, async () => {
      await using first = await startSubscriber(() => answer);
      await using second = await startSubscriber();
      await using bus = await startBus();
      await bus.apply(
        trigger('first', first.url, { filters: [{ exact: { type: 'asked' } }] }) +
          trigger('second', second.url, { filters: [{ exact: { type: 'answered' } }] }),
      );
      await post(`${bus.url}/default/default`, { type: 'asked' });
      const [got] = await second.count(1);
      assert.equal(got!.event!.id, 'reply-answered');
      assert.equal(got!.event!.source, '/reply');
      await bus.settled();
      assert.equal(first.received.length, 1);
      assert.equal(second.received.length, 1);
      const [asked, answered] = bus.entries();
      assert.deepEqual(answered!.cause, { position: asked!.position, route: 'trigger/default/first' });
      assert.equal(answered!.hops, 1);
    });
  }

  const failures: Record<string, Respond> = {
    'a body that is no event': { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' },
    'a body without a content type': { status: 202, body: 'ok' },
    'an event without its attributes': { status: 200, headers: { 'ce-specversion': '1.0' } },
    'an event of an unknown version': reply('x', { headers: { 'ce-specversion': '19.0' } }),
    'a batch': { status: 200, headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[]' },
  };
  for (const [what, answer] of Object.entries(failures)) {
    test(`that is ${what} is a failed attempt (502), tried again`, async () => {
      await using subscriber = await startSubscriber((_received, nth) => (nth < 3 ? answer : {}));
      await using bus = await startBus();
      await bus.apply(trigger('all', subscriber.url, { delivery: { retry: 2, ...AT_ONCE } }));
      await post(`${bus.url}/default/default`, {});
      await subscriber.count(3);
      await bus.settled();
      const attempts = bus.bus.store.history.attempts(bus.entries()[0]!.position);
      assert.deepEqual(
        attempts.slice(0, 2).map(({ status, outcome }) => [status, outcome]),
        [
          [502, 'retrying'],
          [502, 'retrying'],
        ],
      );
      assert.equal(subscriber.received.length, 3);
    });
  }

  test('that goes in a circle ends after 255 rounds, as a dead letter', async () => {
    await using subscriber = await startSubscriber((received) => reply('round', { body: received.body }));
    await using bus = await startBus();
    await bus.apply(trigger('circle', subscriber.url, { delivery: { retry: 3, ...AT_ONCE } }));
    await post(`${bus.url}/default/default`, { type: 'round', data: 'x' });
    const [letter] = await bus.deadLetters(1);
    assert.equal(letter!.entry.hops, 255);
    assert.equal(letter!.attempts, 1);
    assert.match(letter!.failure.message, /circle/);
    assert.equal(subscriber.received.length, 256);
    assert.equal(bus.entries().length, 256);
  });

  test('circles through another broker count too: the number of hops travels', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('all', subscriber.url));
    await post(`${bus.url}/default/default`, { headers: { 'millrace-hops': '7' } });
    const [got] = await subscriber.count(1);
    assert.equal(got!.headers['millrace-hops'], '8');
    assert.equal((await post(`${bus.url}/default/default`, { headers: { 'millrace-hops': '256' } })).status, 400);
  });
});

describe('the delivery matrix', () => {
  test('1: without any delivery each trigger gets the event once', async () => {
    await using one = await startSubscriber();
    await using two = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('t1', one.url) + trigger('t2', two.url));
    await post(`${bus.url}/default/default`, {});
    await bus.settled();
    assert.equal(one.received.length, 1);
    assert.equal(two.received.length, 1);
  });

  test("2: the broker's retries and dead letter sink count for both triggers", async () => {
    await using sink = await startSubscriber();
    await using one = await failing(3);
    await using two = await failing(4);
    await using bus = await startBus();
    await bus.apply(
      broker({ deadLetterSink: { uri: sink.url }, retry: 3, ...AT_ONCE }) +
        trigger('t1', one.url) +
        trigger('t2', two.url),
    );
    await post(`${bus.url}/default/default`, { id: 'm2' });
    await sink.count(1);
    await bus.settled();
    assert.equal(one.received.length, 4);
    assert.equal(two.received.length, 4);
    assert.equal(sink.received.length, 1);
    assert.equal(sink.received[0]!.event!.extensions['knativeerrordest'], two.url);
  });

  test('3: a trigger’s own delivery; what fails without a sink rests in the store', async () => {
    await using sink = await startSubscriber();
    await using one = await failing(3);
    await using two = await failing(2);
    await using bus = await startBus();
    await bus.apply(
      broker({ retry: 0 }) +
        trigger('t1', one.url, { delivery: { deadLetterSink: { uri: sink.url }, retry: 3, ...AT_ONCE } }) +
        trigger('t2', two.url, { delivery: { retry: 1, ...AT_ONCE } }),
    );
    await post(`${bus.url}/default/default`, {});
    const letters = await bus.deadLetters(1);
    await bus.settled();
    assert.equal(one.received.length, 4);
    assert.equal(two.received.length, 2);
    assert.equal(sink.received.length, 0);
    assert.deepEqual(
      letters.map(({ route, attempts }) => [route, attempts]),
      [['trigger/default/t2', 2]],
    );
  });

  test("4: the trigger's delivery where it has one, and else the broker's", async () => {
    await using brokerSink = await startSubscriber();
    await using triggerSink = await startSubscriber();
    await using one = await failing(3);
    await using two = await failing(2);
    await using bus = await startBus();
    await bus.apply(
      broker({ deadLetterSink: { uri: brokerSink.url }, retry: 1, ...AT_ONCE }) +
        trigger('t1', one.url, { delivery: { deadLetterSink: { uri: triggerSink.url }, retry: 3, ...AT_ONCE } }) +
        trigger('t2', two.url),
    );
    await post(`${bus.url}/default/default`, {});
    await brokerSink.count(1);
    await bus.settled();
    assert.equal(one.received.length, 4);
    assert.equal(two.received.length, 2);
    assert.equal(triggerSink.received.length, 0);
    assert.equal(brokerSink.received.length, 1);
  });

  test('5: each dead letter goes to the sink of its own delivery', async () => {
    await using brokerSink = await startSubscriber();
    await using triggerSink = await startSubscriber();
    await using one = await failing(4);
    await using two = await failing(2);
    await using bus = await startBus();
    await bus.apply(
      broker({ deadLetterSink: { uri: brokerSink.url }, retry: 1, ...AT_ONCE }) +
        trigger('t1', one.url, { delivery: { deadLetterSink: { uri: triggerSink.url }, retry: 3, ...AT_ONCE } }) +
        trigger('t2', two.url),
    );
    await post(`${bus.url}/default/default`, {});
    await Promise.all([brokerSink.count(1), triggerSink.count(1)]);
    await bus.settled();
    assert.equal(one.received.length, 4);
    assert.equal(two.received.length, 2);
    assert.equal(triggerSink.received[0]!.event!.extensions['knativeerrordest'], one.url);
    assert.equal(brokerSink.received[0]!.event!.extensions['knativeerrordest'], two.url);
  });
});

describe('triggers are independent', () => {
  test('one that hangs holds no other up', async () => {
    await using hanging = await startSubscriber(() => ({ hang: true }));
    await using quick = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(
      trigger('hanging', hanging.url, { delivery: { timeout: 'PT1S', retry: 0 } }) + trigger('quick', quick.url),
    );
    for (let n = 0; n < 300; n += 1) await post(`${bus.url}/default/default`, { id: String(n) });
    const got = await quick.count(300);
    assert.equal(new Set(got.map(({ event }) => event!.id)).size, 300);
  });

  test('a new one sees what comes from now on', async () => {
    await using early = await startSubscriber();
    await using late = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('early', early.url));
    await post(`${bus.url}/default/default`, { id: 'before' });
    await bus.settled();
    await bus.apply(trigger('early', early.url) + trigger('late', late.url));
    await post(`${bus.url}/default/default`, { id: 'after' });
    await bus.settled();
    assert.deepEqual(
      early.received.map(({ event }) => event!.id),
      ['before', 'after'],
    );
    assert.deepEqual(
      late.received.map(({ event }) => event!.id),
      ['after'],
    );
  });

  test('and goes on where it stood when its subscriber changes', async () => {
    await using first = await startSubscriber();
    await using second = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('same', first.url));
    await post(`${bus.url}/default/default`, { id: '1' });
    await bus.settled();
    await bus.apply(trigger('same', second.url));
    await post(`${bus.url}/default/default`, { id: '2' });
    await bus.settled();
    assert.deepEqual(
      [...first.received, ...second.received].map(({ event }) => event!.id),
      ['1', '2'],
    );
  });
});

describe('order', () => {
  const ordered = { annotations: { 'kafka.eventing.knative.dev/delivery.order': 'ordered' } };

  test('is kept within a partition key, through failures; keys do not wait for each other', async () => {
    const release = Promise.withResolvers<void>();
    await using subscriber = await startSubscriber(async ({ event }, nth) => {
      if (event!.id === 'a1') await release.promise;
      return { status: event!.id === 'a2' && nth < 6 ? 503 : 202 };
    });
    await using bus = await startBus();
    await bus.apply(trigger('ordered', subscriber.url, { ...ordered, delivery: { retry: 5, ...AT_ONCE } }));
    for (const id of ['a1', 'a2', 'b1', 'a3', 'b2']) {
      await post(`${bus.url}/default/default`, { id, extensions: { partitionkey: id[0]! } });
    }
    // All of b comes while a1 is still being worked on.
    await subscriber.count(3);
    release.resolve();
    await bus.settled();
    const ids = subscriber.received.map(({ event }) => event!.id);
    assert.deepEqual(
      ids.filter((id) => id.startsWith('b')),
      ['b1', 'b2'],
    );
    assert.deepEqual(ids.slice(0, 3).toSorted(), ['a1', 'b1', 'b2']);
    assert.deepEqual(
      ids.filter((id) => id.startsWith('a')),
      ['a1', 'a2', 'a2', 'a2', 'a3'],
    );
  });

  test('is not asked for by default: what fails holds nothing up', async () => {
    await using subscriber = await startSubscriber(({ event }) => ({ hang: event!.id === '1' }));
    await using bus = await startBus();
    await bus.apply(trigger('unordered', subscriber.url, { delivery: { timeout: 'PT1S', retry: 0 } }));
    for (const id of ['1', '2', '3']) await post(`${bus.url}/default/default`, { id });
    const got = await subscriber.count(3);
    assert.deepEqual(got.map(({ event }) => event!.id).toSorted(), ['1', '2', '3']);
  });
});
