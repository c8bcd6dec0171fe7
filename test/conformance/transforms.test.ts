import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { startProgram } from '@millrace/bus/ingress/functions.fixture';
import { openMemoryStore } from '@millrace/bus/log/memory';
import type { Settlement } from '@millrace/bus/log/progress';
import { HandlerFailure } from '@millrace/event/handler';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { declare, functionsOf, jsonOf, refTo, replyEvent, service } from '../support/flows.ts';
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
        transform('documents', '{ "n": data.n }', { sink: uri('documents') }) +
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

  const noEvents: Record<string, { status: number; headers: Record<string, string>; body: string }> = {
    'that is text': { status: 201, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'tack så mycket' },
    'that is JSON': { status: 200, headers: { 'content-type': 'application/json' }, body: '{"stored":true}' },
    'that refuses, whole however long': {
      status: 422,
      headers: { 'content-type': 'application/problem+json' },
      body: JSON.stringify({ detail: 'x'.repeat(5_000) }),
    },
    'that asks to wait': { status: 503, headers: { 'retry-after': '7', 'content-type': 'text/plain' }, body: 'later' },
    'that says that it is an event, and is none': {
      status: 200,
      headers: { 'ce-specversion': '1.0', 'content-type': 'text/plain' },
      body: 'half',
    },
  };
  for (const [what, said] of Object.entries(noEvents)) {
    test(`passes on an answer of its sink ${what}`, async () => {
      sink.answer(() => said);
      const response = await ask('sends');
      const headers = Object.keys(said.headers).map((name) => [name, response.headers.get(name)]);
      assert.deepEqual([response.status, Object.fromEntries(headers)], [said.status, said.headers]);
      assert.equal(await response.text(), said.body);
    });
  }

  test('sends what is no event to its sink as it is', async () => {
    sink.answer(() => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'thanks' }));
    const earlier = sink.received.length;
    const response = await ask('documents');
    const got = sink.received[earlier]!;
    assert.deepEqual(
      [got.event, got.headers['content-type'], got.body.toString()],
      [undefined, 'application/json', '{"n":1}'],
    );
    assert.deepEqual([response.status, await response.text()], [200, 'thanks']);
  });

  test('does not follow its sink elsewhere', async () => {
    sink.answer(() => ({ status: 302, headers: { location: '/elsewhere' } }));
    const earlier = sink.received.length;
    assert.equal((await ask('sends')).status, 500);
    assert.equal(sink.received.length, earlier + 1);
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

describe('an EventTransform over HTTP whose sink is a function', () => {
  test('gives it the event, and passes on what it answers, event or not', async () => {
    await using program = await startProgram();
    await using bus = await startBus({ functions: program.functions });
    await bus.apply(service('f') + transform('calls', asEvent('data.n'), { sink: refTo('Service', 'f') }));
    const ask = () =>
      fetch(at(bus, 'calls'), {
        method: 'POST',
        headers: { ...EVENT, 'content-type': 'application/json' },
        body: '{"n":1}',
      });
    program.answer((request, response) =>
      response.writeHead(201, { 'content-type': 'text/plain' }).end(`got ${String(request.headers['ce-type'])}`),
    );
    const text = await ask();
    assert.deepEqual([text.status, text.headers.get('content-type')], [201, 'text/plain']);
    assert.equal(await text.text(), 'got made');
    program.fail(() => new HandlerFailure('no instance', { status: 503, retryAfterMs: 2_000 }));
    const none = await ask();
    assert.deepEqual([none.status, none.headers.get('retry-after')], [503, '2']);
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

describe('an EventTransform whose sink is a topic', () => {
  const IN = 'channel/default/in';
  const channel = declare('InMemoryChannel', 'in');
  const toChannel = { sink: refTo('InMemoryChannel', 'in') };
  const byTrigger = (name: string, spec: object = {}) =>
    broker() + declare('Trigger', 't', { broker: 'default', subscriber: refTo('EventTransform', name), ...spec });
  const entriesIn = (bus: TestBus, topic: string) => bus.entries().filter((it) => it.topic === topic);

  test('brings what it makes into it with its cause, in one write with what became of the delivery', async () => {
    const store = openMemoryStore();
    const writes: (readonly [topics: readonly string[], settlement: Settlement | undefined])[] = [];
    const append: typeof store.log.append = (drafts, settlement) => {
      writes.push([drafts.map((it) => it.topic), settlement]);
      return store.log.append(drafts, settlement);
    };
    await using bus = await startBus({ store: { ...store, log: { ...store.log, append } } });
    await bus.apply(channel + transform('enters', asEvent('data.n + 1'), toChannel) + byTrigger('enters'));
    await post(`${bus.url}/default/default`, { data: '{"n":1}', headers: { 'x-request-id': 'r1' } });
    await bus.settled();
    const [came] = bus.entries();
    const [made] = entriesIn(bus, IN);
    const route = 'trigger/default/t';
    assert.deepEqual([made!.cause, made!.hops, jsonOf(made!.event)], [{ position: came!.position, route }, 1, 2]);
    assert.equal(made!.headers?.['x-request-id'], 'r1');
    const [topics, settlement] = writes.at(-1)!;
    assert.deepEqual(
      [topics, settlement?.outcome, settlement?.route, settlement?.status],
      [[IN], 'delivered', route, 202],
    );
    assert.equal(bus.bus.store.history.attempts(came!.position).length, 1);
  });

  test('goes on there through one that is its sink, and not through the transformation of a reply', async () => {
    await using bus = await startBus();
    const reply = { jsonata: { expression: asEvent('"never"') } };
    await bus.apply(
      channel +
        transform('first', asEvent('data.n + 1'), { sink: refTo('EventTransform', 'second'), reply }) +
        transform('second', asEvent('data * 10'), { ...toChannel, reply: { discard: true } }) +
        byTrigger('first'),
    );
    const response = await fetch(at(bus, 'first'), {
      method: 'POST',
      headers: { ...EVENT, 'content-type': 'application/json' },
      body: '{"n":1}',
    });
    assert.deepEqual([response.status, await response.text()], [202, '']);
    await post(`${bus.url}/default/default`, { data: '{"n":2}' });
    await bus.settled();
    assert.deepEqual(
      entriesIn(bus, IN).map((it) => [jsonOf(it.event), it.cause?.route]),
      [
        [20, undefined],
        [30, 'trigger/default/t'],
      ],
    );
  });

  test('fails with what the gate says against it, in the dead letter of the route', async () => {
    await using bus = await startBus({ maxEventBytes: 100 });
    const expression = asEvent('$pad("", 200, "x")');
    await bus.apply(channel + transform('long', expression, toChannel) + byTrigger('long'));
    await post(`${bus.url}/default/default`, { data: '1' });
    const [letter] = await bus.deadLetters(1);
    assert.deepEqual([letter!.route, letter!.failure.status], ['trigger/default/t', 413]);
    assert.match(letter!.failure.message, /^what it made for its sink was not taken: .* is 202 bytes long/);
    assert.deepEqual(entriesIn(bus, IN), []);
  });

  test('is followed by a join as a branch, on through a Sequence that is the sink', async () => {
    await using bus = await startBus({ functions: functionsOf({ half: (data) => Number(data) / 2 }) });
    const sequence = declare('Sequence', 's', { steps: [refTo('Service', 'half')] });
    const named = { name: 'p', annotations: { 'millrace.dev/join': 'all' } };
    await bus.apply(
      service('half') +
        sequence +
        transform('enters', asEvent('data.n * 10'), { sink: refTo('Sequence', 's') }) +
        declare('Parallel', named, { branches: [{ subscriber: refTo('EventTransform', 'enters') }] }),
    );
    await post(`${bus.url}/flows/parallel/default/p`, { data: '{"n":3}' });
    await bus.settled();
    const results = entriesIn(bus, 'results/parallel/default/p').map((it) => jsonOf(it.event));
    assert.deepEqual(results, [[{ branch: 'enters', outcome: 'succeeded', data: 15 }]]);
  });

  test('takes dead letters there, which are no answers of a branch', async () => {
    await using bus = await startBus();
    const branch = {
      subscriber: { uri: 'http://127.0.0.1:1/' },
      delivery: { retry: 0, deadLetterSink: refTo('EventTransform', 'enters') },
    };
    const named = { name: 'p', annotations: { 'millrace.dev/join': 'all' } };
    await bus.apply(
      channel + transform('enters', asEvent('"dead"'), toChannel) + declare('Parallel', named, { branches: [branch] }),
    );
    await post(`${bus.url}/flows/parallel/default/p`, { data: '{}' });
    await bus.settled();
    const [dead] = entriesIn(bus, IN);
    assert.deepEqual([jsonOf(dead!.event), dead!.cause?.position], ['dead', 1]);
    const [[told]] = entriesIn(bus, 'results/parallel/default/p').map((it) => jsonOf(it.event)) as [
      [{ outcome: string }],
    ];
    assert.equal(told.outcome, 'failed');
  });

  test('is waited for as for a channel: what enters it is no reply, what comes of it is', async () => {
    await using bus = await startBus({ functions: functionsOf({ half: (data) => Number(data) / 2 }) });
    const enters = transform('enters', asEvent('data.n * 10'), toChannel) + byTrigger('enters');
    await bus.apply(channel + enters);
    const ask = () => post(`${bus.url}/default/default`, { data: '{"n":3}', headers: { prefer: 'wait=20' } });
    assert.equal((await ask()).headers.get('ce-type'), null);
    const spec = { channel: refTo('InMemoryChannel', 'in').ref, subscriber: refTo('Service', 'half') };
    const reply = { reply: refTo('InMemoryChannel', 'out') };
    await bus.apply(
      service('half') +
        channel +
        declare('InMemoryChannel', 'out') +
        enters +
        declare('Subscription', 's', { ...spec, ...reply }),
    );
    const answer = await ask();
    assert.deepEqual([answer.headers.get('ce-type'), await answer.json()], ['half.done', 15]);
  });
});
