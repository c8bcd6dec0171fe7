import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { AT_ONCE, declare, functionsOf, refTo, replyEvent, service } from '../support/flows.ts';
import { broker, trigger } from '../support/manifests.ts';
import { refused } from '../support/problem.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Received, Respond } from '../support/subscriber.ts';

// knative.md §1.8, §2.3, §3.2, §3.5 and §11.1 "Channel".

const KINDS = ['Channel', 'InMemoryChannel', 'KafkaChannel'];

/** A channel, `events` unless it says otherwise, and a Subscription of it. */
const channel = (spec: object = {}, { kind = 'InMemoryChannel', name = 'events' } = {}) => declare(kind, name, spec);
const subscription = (name: string, uri: string, spec: object = {}) =>
  declare('Subscription', name, { channel: refTo('InMemoryChannel', 'events').ref, subscriber: { uri }, ...spec });

const at = (bus: TestBus, name = 'events') => `${bus.url}/channels/default/${name}`;
const conditionsOf = (bus: TestBus, key: string) =>
  Object.fromEntries(
    bus.bus.control.plan.statuses.get(key)!.conditions.map(({ type, status, reason }) => [type, reason ?? status]),
  );

describe('a channel and its subscriber', () => {
  const MINIMAL = { id: 'min-1', source: '/source', type: 'com.example.min' };
  const FULL = {
    ...MINIMAL,
    id: 'full-1',
    type: 'com.example.full',
    subject: 'a subject',
    time: '2020-03-21T12:34:56.780000000Z',
    exbool: true,
    exint: 42,
    exstring: 'exstring',
    exbinary: 'AAEC',
    exurl: 'http://example.com/source',
    extime: '2020-03-21T12:34:56Z',
  };
  const SCHEMA = 'http://example.com/schema';
  const BODY = '{"hello":  "world"}';

  for (const kind of KINDS) {
    for (const [what, event] of Object.entries({ minimal: MINIMAL, full: FULL })) {
      for (const specversion of ['1.0', '0.3']) {
        const schema = what === 'minimal' ? {} : { [specversion === '1.0' ? 'dataschema' : 'schemaurl']: SCHEMA };
        const attributes: Record<string, unknown> = { specversion, ...event, ...schema };
        const onTheWire = Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value).replaceAll(' ', '%20')]),
        );
        for (const mode of ['binary', 'structured']) {
          test(`${kind}: of a ${what} event of ${specversion} in ${mode} mode it gets exactly what was sent`, async () => {
            await using subscriber = await startSubscriber();
            await using bus = await startBus();
            await bus.apply(
              channel({}, { kind }) + subscription('all', subscriber.url, { channel: refTo(kind, 'events').ref }),
            );
            const hasData = what === 'full';
            const response = await fetch(at(bus), {
              method: 'POST',
              ...(mode === 'binary'
                ? {
                    headers: { ...onTheWire, ...(hasData ? { 'content-type': 'text/json' } : {}) },
                    ...(hasData ? { body: BODY } : {}),
                  }
                : {
                    headers: { 'content-type': 'application/cloudevents+json' },
                    body: documentOf(attributes, hasData),
                  }),
            });
            assert.equal(response.status, 202);
            assert.equal(await response.text(), '');
            const [got] = await subscriber.count(1);
            assert.deepEqual(attributesOf(got!), onTheWire);
            assert.equal(got!.headers['content-type'], hasData ? 'text/json' : undefined);
            assert.equal(got!.body.toString(), hasData ? BODY : '');
            await bus.settled();
            assert.equal(subscriber.received.length, 1);
          });
        }
      }
    }
  }

  // The data stand in the document as they are to arrive, byte for byte.
  function documentOf(attributes: Record<string, unknown>, hasData: boolean): string {
    const text = JSON.stringify({ ...attributes, ...(hasData ? { datacontenttype: 'text/json' } : {}) });
    return hasData ? `${text.slice(0, -1)},"data":${BODY}}` : text;
  }

  function attributesOf({ headers }: Received): Record<string, unknown> {
    return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-')));
  }

  test('is asked for a reply, told its namespace, and gets the headers that travel', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(channel() + subscription('all', subscriber.url));
    const headers = { 'knative-hello': 'world', 'x-request-id': 'r1', authorization: 'Bearer secret' };
    assert.equal((await post(at(bus), { headers })).status, 202);
    const [got] = await subscriber.count(1);
    assert.equal(got!.headers['knative-hello'], 'world');
    assert.equal(got!.headers['x-request-id'], 'r1');
    assert.equal(got!.headers['prefer'], 'reply');
    assert.equal(got!.headers['kn-namespace'], 'default');
    assert.equal(got!.headers['authorization'], undefined);
  });

  test('may be many: each subscription gets each event', async () => {
    await using first = await startSubscriber();
    await using second = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(channel() + subscription('first', first.url) + subscription('second', second.url));
    for (const id of ['1', '2', '3']) await post(at(bus), { id });
    await bus.settled();
    const idsOf = (received: readonly Received[]) => received.map(({ event }) => event!.id).toSorted();
    assert.deepEqual(idsOf(first.received), ['1', '2', '3']);
    assert.deepEqual(idsOf(second.received), ['1', '2', '3']);
  });

  test('outlast the process: what was accepted is delivered after a restart', async () => {
    await using subscriber = await startSubscriber(() => ({ status: 503 }));
    await using first = await startBus();
    const manifests =
      channel() +
      subscription('all', subscriber.url, { delivery: { retry: 100, ...AT_ONCE, backoffDelay: 'PT0.05S' } });
    await first.apply(manifests);
    assert.equal((await post(at(first), { id: 'kept' })).status, 202);
    await subscriber.count(1);
    await using second = await first.restart();
    const before = subscriber.received.length;
    subscriber.answer(() => ({}));
    await second.apply(manifests);
    await subscriber.count(before + 1);
    await second.settled();
    assert.equal(subscriber.received.at(-1)!.event!.id, 'kept');
    assert.equal((await second.deadLetters(0)).length, 0);
  });
});

describe('the door of a channel', () => {
  let bus: TestBus;
  before(async () => {
    bus = await startBus();
    await bus.apply(channel() + declare('KafkaChannel', { name: 'orders', namespace: 'shop' }));
  });
  after(() => bus[Symbol.asyncDispose]());
  const taken = () => bus.entries().length;

  /** Posts an event as somebody who knows the channel by its name in a cluster. */
  function postTo(host: string, path = '/'): Promise<number> {
    const { hostname, port } = new URL(bus.url);
    const headers = { host, 'ce-specversion': '1.0', 'ce-id': 'h', 'ce-source': '/s', 'ce-type': 't' };
    return new Promise((resolve, reject) => {
      request({ hostname, port, path, method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
        .once('error', reject)
        .end();
    });
  }

  for (const host of [
    'events-kn-channel.default.svc.cluster.local',
    'events-kn-channel.default.svc.cluster.local:80',
    'events-kn-channel.default.svc',
    'events-kn-channel.default',
    'Events-KN-Channel.Default.svc.cluster.local',
  ]) {
    test(`is there under the host ${host}`, async () => {
      const before = taken();
      assert.equal(await postTo(host), 202);
      assert.equal(taken(), before + 1);
      assert.equal(bus.entries().at(-1)!.topic, 'channel/default/events');
    });
  }

  test('is there under the namespace that it is in', async () => {
    assert.equal(await postTo('orders-kn-channel.shop.svc.cluster.local'), 202);
    assert.equal(bus.entries().at(-1)!.topic, 'channel/shop/orders');
    assert.equal((await post(`${bus.url}/channels/shop/orders`, {})).status, 202);
    assert.equal(bus.entries().at(-1)!.topic, 'channel/shop/orders');
  });

  test('is not there for a channel that nobody declares: 404', async () => {
    const before = taken();
    const { detail } = await refused(post(at(bus, 'nobody'), {}), 404);
    assert.match(detail, /no channel at \/channels\/default\/nobody/);
    await refused(post(`${bus.url}/channels/default/orders`, {}), 404);
    assert.equal(await postTo('nobody-kn-channel.default.svc.cluster.local'), 404);
    assert.equal(taken(), before);
  });

  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    test(`is not for ${method}: 405, and tells what it is for`, async () => {
      const response = await fetch(at(bus), { method });
      assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
      await refused(response, 405);
    });
  }

  test('answers OPTIONS', async () => {
    const response = await fetch(at(bus), { method: 'OPTIONS' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
  });

  for (const mode of ['binary', 'structured']) {
    test(`refuses an event of version 10.0 in ${mode} mode with 400, and nobody gets it`, async () => {
      const before = taken();
      const event = { specversion: '10.0', id: '1', source: '/s', type: 't' };
      const problem = await refused(
        mode === 'binary'
          ? post(at(bus), { headers: { 'ce-specversion': '10.0' } })
          : fetch(at(bus), {
              method: 'POST',
              headers: { 'content-type': 'application/cloudevents+json' },
              body: JSON.stringify(event),
            }),
        400,
      );
      assert.equal(problem.attribute, 'specversion');
      assert.equal(taken(), before);
    });
  }

  test('tells a malformed event before it tells that there is no channel', async () => {
    await refused(post(at(bus, 'nobody'), { headers: { 'ce-id': '' } }), 400);
  });
});

describe('the reply to a Subscription', () => {
  const answered = () => replyEvent('answered', { n: 1 });

  test('goes on into another channel', async () => {
    await using first = await startSubscriber(answered);
    await using second = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(
      channel() +
        channel({}, { kind: 'Channel', name: 'answers' }) +
        subscription('first', first.url, { reply: refTo('Channel', 'answers') }) +
        subscription('second', second.url, { channel: refTo('Channel', 'answers').ref }),
    );
    await post(at(bus), {});
    await expectAnswer(bus, second.received, second.count(1), 'channel/default/answers');
  });

  test('goes on into a broker', async () => {
    await using first = await startSubscriber(answered);
    await using second = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(
      channel() +
        broker() +
        subscription('first', first.url, { reply: refTo('Broker', 'default') }) +
        trigger('second', second.url),
    );
    await post(at(bus), {});
    await expectAnswer(bus, second.received, second.count(1), 'broker/default/default');
  });

  test('goes on to a uri, as often as the delivery of the subscription says', async () => {
    await using first = await startSubscriber(answered);
    await using second = await startSubscriber((_received, nth) => (nth < 3 ? { status: 503 } : {}));
    await using bus = await startBus();
    const delivery = { retry: 2, ...AT_ONCE };
    await bus.apply(channel() + subscription('first', first.url, { reply: { uri: second.url }, delivery }));
    await post(at(bus), {});
    const got = await second.count(3);
    await bus.settled();
    assert.equal(got.at(-1)!.event!.type, 'answered');
    assert.equal(got.at(-1)!.headers['prefer'], undefined, 'nobody asks it for a reply');
    assert.equal(first.received.length, 1, 'the subscriber is not asked again');
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('goes on to a function', async () => {
    await using first = await startSubscriber(answered);
    const seen: unknown[] = [];
    await using bus = await startBus({ functions: functionsOf({ taker: (data) => void seen.push(data) }) });
    await bus.apply(
      channel() + service('taker') + subscription('first', first.url, { reply: refTo('Service', 'taker') }),
    );
    await post(at(bus), {});
    await bus.settled();
    assert.deepEqual(seen, [{ n: 1 }]);
  });

  test('is discarded where no reply is said', async () => {
    await using first = await startSubscriber(answered);
    await using bus = await startBus();
    await bus.apply(channel() + subscription('first', first.url));
    await post(at(bus), {});
    await bus.settled();
    assert.equal(first.received.length, 1);
    assert.equal(bus.entries().length, 1);
  });

  const nothing: Record<string, Respond> = {
    'a body that is no event': { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' },
    'a body without a type': { status: 202, body: 'ok' },
    'no body': { status: 204 },
  };
  for (const [what, answer] of Object.entries(nothing)) {
    test(`is none when it is ${what}: a success`, async () => {
      await using first = await startSubscriber(() => answer);
      await using second = await startSubscriber();
      await using bus = await startBus();
      await bus.apply(channel() + subscription('first', first.url, { reply: { uri: second.url } }));
      await post(at(bus), {});
      await bus.settled();
      assert.equal(first.received.length, 1);
      assert.equal(second.received.length, 0);
      assert.equal((await bus.deadLetters(0)).length, 0);
    });
  }

  const malformed: Record<string, [Respond, RegExp]> = {
    'an event without its attributes': [{ status: 200, headers: { 'ce-specversion': '1.0' } }, /\bid\b/],
    'a structured event that is no JSON': [
      { status: 200, headers: { 'content-type': 'application/cloudevents+json' }, body: '{"specversion"' },
      /body/,
    ],
    'an event with an empty source': [replyEvent('x', undefined, { source: '' }), /\bsource\b/],
  };
  for (const [what, [answer, reason]] of Object.entries(malformed)) {
    test(`that is ${what} is a failure, and the dead letter says why`, async () => {
      await using first = await startSubscriber(() => answer);
      await using second = await startSubscriber();
      await using bus = await startBus();
      const delivery = { retry: 1, ...AT_ONCE };
      await bus.apply(channel() + subscription('first', first.url, { reply: { uri: second.url }, delivery }));
      await post(at(bus), {});
      await bus.settled();
      const [letter] = await bus.deadLetters(0);
      assert.ok(letter !== undefined, 'a dead letter');
      assert.equal(letter.route, 'subscription/default/first');
      assert.equal(letter.attempts, 2);
      assert.equal(letter.failure.status, 502);
      assert.match(letter.failure.message, reason);
      assert.equal(second.received.length, 0);
    });
  }

  async function expectAnswer(
    bus: TestBus,
    received: readonly Received[],
    come: Promise<readonly Received[]>,
    topic: string,
  ): Promise<void> {
    const [got] = await come;
    await bus.settled();
    assert.equal(received.length, 1);
    assert.equal(got!.event!.id, 'reply-answered');
    assert.equal(got!.body.toString(), '{"n":1}');
    const [asked, reply] = bus.entries();
    assert.equal(reply!.topic, topic);
    assert.deepEqual(reply!.cause, { position: asked!.position, route: 'subscription/default/first' });
  }
});

describe('the delivery of a Subscription', () => {
  /** What fails for good: how often it was tried, and which sinks got it. */
  async function failing(ofChannel: object | undefined, own: object | undefined) {
    await using subscriber = await startSubscriber(() => ({ status: 503 }));
    await using channelSink = await startSubscriber();
    await using ownSink = await startSubscriber();
    await using bus = await startBus();
    const withSink = (delivery: object | undefined, url: string) =>
      delivery !== undefined && 'sink' in delivery
        ? { ...AT_ONCE, ...delivery, sink: undefined, deadLetterSink: { uri: url } }
        : delivery && { ...AT_ONCE, ...delivery };
    await bus.apply(
      channel({ delivery: withSink(ofChannel, channelSink.url) }) +
        subscription('fails', subscriber.url, { delivery: withSink(own, ownSink.url) }),
    );
    await post(at(bus), {});
    await bus.settled();
    const letters = await bus.deadLetters(0);
    return {
      attempts: subscriber.received.length,
      channelSink: channelSink.received.length,
      ownSink: ownSink.received.length,
      parked: letters.length,
    };
  }

  test('is that of its channel where it says none', async () => {
    const { attempts, channelSink, parked } = await failing({ retry: 2, sink: true }, undefined);
    assert.deepEqual({ attempts, channelSink, parked }, { attempts: 3, channelSink: 1, parked: 0 });
  });

  test('is its own as a whole where it says one; only the dead letter sink falls back', async () => {
    const { attempts, channelSink, parked } = await failing({ retry: 5, sink: true }, { retry: 1 });
    assert.deepEqual({ attempts, channelSink, parked }, { attempts: 2, channelSink: 1, parked: 0 });
  });

  test('has its own dead letter sink before that of the channel', async () => {
    const got = await failing({ retry: 5, sink: true }, { retry: 0, sink: true });
    assert.deepEqual(got, { attempts: 1, channelSink: 0, ownSink: 1, parked: 0 });
  });

  test('leaves what fails in the store where neither has a sink', async () => {
    const { attempts, parked } = await failing(undefined, { retry: 1 });
    assert.deepEqual({ attempts, parked }, { attempts: 2, parked: 1 });
  });

  test('gives the dead letter sink the event as it came, and where and how it failed', async () => {
    await using sink = await startSubscriber();
    await using subscriber = await startSubscriber(() => ({ status: 422, body: 'no' }));
    await using bus = await startBus();
    await bus.apply(
      channel() + subscription('dies', subscriber.url, { delivery: { deadLetterSink: { uri: sink.url } } }),
    );
    await post(at(bus), { id: 'e1', type: 'asked', data: '{"n": 1.0}', extensions: { mine: 'kept' } });
    const [got] = await sink.count(1);
    assert.equal(got!.body.toString(), '{"n": 1.0}');
    assert.deepEqual([got!.event!.id, got!.event!.type], ['e1', 'asked']);
    assert.deepEqual(
      { ...got!.event!.extensions },
      {
        mine: 'kept',
        knativeerrordest: subscriber.url,
        knativeerrorcode: '422',
        knativeerrordata: Buffer.from('no').toString('base64'),
      },
    );
    await bus.settled();
    assert.equal(subscriber.received.length, 1, '422 is not tried again');
  });
});

describe('a Subscription without its channel', () => {
  test('is not ready and says which; it heals when the channel appears', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(subscription('early', subscriber.url));
    const { Ready, ...dependents } = conditionsOf(bus, 'Subscription/default/early');
    assert.equal(Ready, 'ChannelDoesNotExist');
    assert.equal(dependents['ReferencesResolved'], 'True');
    const [ready] = bus.bus.control.plan.statuses.get('Subscription/default/early')!.conditions;
    assert.match(ready!.message!, /InMemoryChannel default\/events is not declared/);

    await bus.apply(channel() + subscription('early', subscriber.url));
    assert.equal(conditionsOf(bus, 'Subscription/default/early')['Ready'], 'True');
    await post(at(bus), { id: 'now' });
    const [got] = await subscriber.count(1);
    assert.equal(got!.event!.id, 'now');
  });

  test('goes on where it stood when its subscriber appears', async () => {
    const seen: unknown[] = [];
    await using bus = await startBus({ functions: functionsOf({ late: (data) => void seen.push(data) }) });
    const early = channel() + subscription('waits', '', { subscriber: refTo('Service', 'late') });
    await bus.apply(early);
    assert.equal(conditionsOf(bus, 'Subscription/default/waits')['ReferencesResolved'], 'NotFound');
    assert.equal((await post(at(bus), { data: '1' })).status, 202);
    await bus.apply(early + service('late'));
    assert.equal(conditionsOf(bus, 'Subscription/default/waits')['Ready'], 'True');
    await bus.settled();
    assert.deepEqual(seen, [1]);
  });
});

describe('the status of', () => {
  const expected: Record<string, string[]> = {
    Channel: ['Ready', 'BackingChannelReady', 'Addressable', 'DeadLetterSinkResolved', 'EventPoliciesReady'],
    InMemoryChannel: [
      'Ready',
      'ServiceReady',
      'EndpointsReady',
      'Addressable',
      'ChannelServiceReady',
      'DeadLetterSinkResolved',
      'EventPoliciesReady',
    ],
    KafkaChannel: [
      'Ready',
      'ConfigurationReady',
      'TopicReady',
      'Addressable',
      'ChannelServiceReady',
      'EventPoliciesReady',
    ],
  };
  for (const [kind, types] of Object.entries(expected)) {
    test(`a ${kind} has the conditions that Knative's has, and its address`, async () => {
      await using bus = await startBus();
      await bus.apply(channel({}, { kind }));
      const { conditions, url } = bus.bus.control.plan.statuses.get(`${kind}/default/events`)!;
      assert.deepEqual(
        conditions.map((it) => it.type),
        types,
      );
      assert.ok(conditions.every((it) => it.status === 'True'));
      assert.equal((await post(url!, {})).status, 202);
    });
  }

  test('a Channel names the channel behind it, which has its name and is made by it', async () => {
    await using bus = await startBus();
    await bus.apply(channel({}, { kind: 'Channel' }));
    const { statuses } = bus.bus.control.plan;
    assert.deepEqual(statuses.get('Channel/default/events')!.details, {
      channel: {
        apiVersion: 'messaging.knative.dev/v1',
        kind: 'InMemoryChannel',
        name: 'events',
        namespace: 'default',
      },
    });
    assert.equal(statuses.get('InMemoryChannel/default/events')!.owner, 'Channel/default/events');
  });

  test('a channel whose dead letter sink is not there says so', async () => {
    await using bus = await startBus();
    await bus.apply(channel({ delivery: { deadLetterSink: refTo('Service', 'nobody') } }));
    const conditions = conditionsOf(bus, 'InMemoryChannel/default/events');
    assert.deepEqual(
      [conditions['Ready'], conditions['DeadLetterSinkResolved'], conditions['Addressable']],
      ['NotFound', 'NotFound', 'True'],
    );
  });
});
