import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBus } from '../../../../test/support/bus.ts';
import type { TestBus } from '../../../../test/support/bus.ts';
import { startClock } from '../../../../test/support/clock.ts';
import { post } from '../../../../test/support/events.ts';
import type { Outgoing } from '../../../../test/support/events.ts';
import { replyEvent } from '../../../../test/support/flows.ts';
import { broker, trigger } from '../../../../test/support/manifests.ts';
import { refusal, refused } from '../../../../test/support/problem.ts';
import { exchange, postHead } from '../../../../test/support/raw.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';
import type { BusOptions } from '../bus.ts';
import { LogFull } from '../log/log.ts';
import { openMemoryStore } from '../log/memory.ts';

// knative.md §1.7, with the decisions there: 408 honours spec.timeout.

const PATH = '/request-replies/default/ask';
const ASKED = 'com.example.asked';

function requestReply(name: string, spec: object = {}): string {
  const whole = { brokerRef: { kind: 'Broker', name: 'default' }, ...spec };
  const metadata = { name, namespace: 'default' };
  return `---\n${JSON.stringify({ apiVersion: 'eventing.knative.dev/v1alpha1', kind: 'RequestReply', metadata, spec: whole })}\n`;
}

/** A bus with a RequestReply, and a subscriber for what is asked that is told what to do. */
async function start({ spec = {}, ...options }: Partial<BusOptions> & { spec?: object } = {}) {
  await using stack = new AsyncDisposableStack();
  const subscriber = stack.use(await startSubscriber());
  const bus = stack.use(await startBus(options));
  const asked = trigger('asked', subscriber.url, { filter: { attributes: { type: ASKED } } });
  await bus.apply(broker() + asked + requestReply('ask', spec));
  const all = stack.move();
  return {
    bus,
    subscriber,
    url: bus.url + PATH,
    ask: (event: Outgoing = {}, path = PATH) => post(bus.url + path, { type: ASKED, ...event }),
    /** Declares another one. */
    also: (name: string) => bus.apply(broker() + asked + requestReply('ask', spec) + requestReply(name)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Resolves once nobody is held. */
async function nobodyHeld({ bus }: TestBus): Promise<void> {
  while (bus.requestReplies.size > 0) await new Promise(setImmediate);
}

const answered = (
  { event }: { event?: { extensions: Readonly<Record<string, unknown>> } | undefined },
  data?: unknown,
) => replyEvent('com.example.answered', data, { replyid: String(event!.extensions['correlationid']) });

for (const [name, store] of [
  ['memory', () => openMemoryStore()],
  ['SQLite', () => undefined],
] as const) {
  const storing = () => {
    const opened = store();
    return opened === undefined ? {} : { store: opened };
  };

  describe(`a RequestReply on ${name}`, () => {
    test('answers with the event that carries the correlation back', async () => {
      await using on = await start(storing());
      on.subscriber.answer((received) => answered(received, { done: true }));
      const answer = await on.ask({ id: 'a:b', data: '{"work":1}' });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('ce-type'), 'com.example.answered');
      assert.equal(answer.headers.get('content-type'), 'application/json');
      assert.equal(await answer.text(), '{"done":true}');
      const [{ event, body }] = (await on.subscriber.count(1)) as [(typeof on.subscriber.received)[0]];
      const correlation = String(event!.extensions['correlationid']);
      assert.match(correlation, /^a:b:[\w-]{64}:0$/);
      assert.equal(answer.headers.get('ce-replyid'), correlation);
      assert.equal(body.toString(), '{"work":1}');
      await on.bus.settled();
      assert.deepEqual(on.bus.bus.store.deadLetters.list({ limit: 1 }), []);
    });

    test('gives each of 200 callers at once its own reply', async () => {
      await using on = await start(storing());
      on.subscriber.answer((received) => answered(received, { id: received.event!.id }));
      const ids = Array.from({ length: 200 }, (_, index) => `call-${index}`);
      const answers = await Promise.all(
        ids.map(async (id) => {
          const answer = await on.ask({ id });
          return ((await answer.json()) as { id: string }).id;
        }),
      );
      assert.deepEqual(answers, ids);
      assert.equal(on.bus.bus.requestReplies.size, 0);
    });
  });
}

describe('a RequestReply', () => {
  test('has attributes of other names, and is known by the host name of a cluster', async () => {
    await using on = await start({ spec: { correlationAttribute: 'ticket', replyAttribute: 'answersto' } });
    on.subscriber.answer(({ event }) =>
      replyEvent('com.example.answered', undefined, { answersto: String(event!.extensions['ticket']) }),
    );
    const host = 'host: ask-request-reply.default.svc.cluster.local';
    const request = postHead('/').replace('host: broker', host).replace('ce-type: raw', `ce-type: ${ASKED}`);
    const answer = await exchange(on.bus.url, `${request}content-length: 0\r\n\r\n`);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers['ce-type'], 'com.example.answered');
    assert.equal(answer.headers['content-type'], undefined);
  });

  test('takes replies by hand, as they are', async () => {
    await using on = await start();
    const asking = on.ask();
    const [{ event }] = (await on.subscriber.count(1)) as [(typeof on.subscriber.received)[0]];
    const replyid = String(event!.extensions['correlationid']);
    const reply = {
      id: 'r',
      type: 'hand',
      data: '\u0000 any bytes',
      contentType: 'text/plain',
      extensions: { replyid },
    };
    const taken = await post(`${on.url}/reply`, reply);
    assert.deepEqual([taken.status, await taken.text()], [202, '']);
    const answer = await asking;
    assert.equal(await answer.text(), '\u0000 any bytes');
    const attributes = [...answer.headers].filter(([it]) => it.startsWith('ce-') || it === 'content-type');
    assert.deepEqual(Object.fromEntries(attributes), {
      'ce-specversion': '1.0',
      'ce-id': 'r',
      'ce-source': '/test',
      'ce-type': 'hand',
      'ce-replyid': replyid,
      'content-type': 'text/plain',
    });
    assert.equal((await post(`${on.url}/reply`, reply)).status, 202, 'nobody waits for it any more');
  });

  test('refuses by hand what is no reply to anything that was asked here', async () => {
    await using on = await start();
    const asking = on.ask({ id: 'e' });
    const [{ event }] = (await on.subscriber.count(1)) as [(typeof on.subscriber.received)[0]];
    const replyid = String(event!.extensions['correlationid']);
    const reply = (extensions: Record<string, string>) => post(`${on.url}/reply`, { extensions });
    assert.equal((await refused(reply({}), 400)).attribute, 'replyid');
    for (const wrong of [
      '',
      'e',
      'e::0',
      `f${replyid.slice(1)}`,
      replyid.slice(0, -1) + '1',
      replyid.replace(':', ':x'),
    ])
      await refused(reply({ replyid: wrong }), 400);
    const structured = await fetch(`${on.url}/reply`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', replyid: 7 }),
    });
    assert.equal((await refused(structured, 400)).got, '7');
    // By the broker too, what was not made here answers nobody, and goes its way.
    await post(`${on.bus.url}/default/default`, { extensions: { replyid: `${replyid}0` } });
    await on.bus.settled();
    assert.equal(on.bus.bus.requestReplies.size, 1);
    assert.equal((await reply({ replyid })).status, 202);
    assert.equal((await asking).status, 200);
  });

  test('does not take the reply of another one', async () => {
    await using on = await start();
    await on.also('other');
    const asking = on.ask();
    const [{ event }] = (await on.subscriber.count(1)) as [(typeof on.subscriber.received)[0]];
    const extensions = { replyid: String(event!.extensions['correlationid']) };
    await refused(post(`${on.bus.url}/request-replies/default/other/reply`, { extensions }), 400);
    assert.equal((await post(`${on.url}/reply`, { extensions })).status, 202);
    assert.equal((await asking).status, 200);
  });

  describe('answers as a broker does', () => {
    const send = (url: string, init: RequestInit = {}) => fetch(url, { method: 'POST', ...init });
    const batch = { headers: { 'content-type': 'application/cloudevents-batch+json' } };
    const one = JSON.stringify([{ specversion: '1.0', id: '1', source: '/s', type: 't' }]);
    const cases: [string, number, (at: string) => Promise<Response>][] = [
      ['GET', 405, (at) => fetch(at)],
      ['PUT', 405, (at) => send(at, { method: 'PUT', body: 'x' })],
      ['GET of /reply', 405, (at) => fetch(`${at}/reply`)],
      ['one that is not declared', 404, (at) => post(`${at}s`, {})],
      ['a path below', 400, (at) => post(`${at}/answer`, {})],
      ['what is no event', 400, (at) => send(at, { body: '{}', headers: { 'content-type': 'application/json' } })],
      ['an event without an id', 400, (at) => post(at, { id: '' })],
      ['another version', 400, (at) => post(at, { headers: { 'ce-specversion': '19.0' } })],
      ['a batch', 400, (at) => send(at, { ...batch, body: one })],
      ['a batch of replies', 400, (at) => send(`${at}/reply`, { ...batch, body: one })],
      ['too long an event', 413, (at) => post(at, { data: 'x'.repeat(2_000) })],
      ['a circle', 400, (at) => post(at, { headers: { 'millrace-hops': '256' } })],
      ['a coding', 415, (at) => post(at, { data: 'x', headers: { 'content-encoding': 'gzip' } })],
    ];
    test('with these statuses', async () => {
      await using on = await start({ maxEventBytes: 1_000 });
      for (const [what, status, request] of cases) {
        const answer = await request(on.url);
        assert.equal(answer.status, status, what);
        const { detail } = refusal(answer, await answer.text(), status);
        assert.ok(detail.length > 0, what);
        if (status === 405) assert.equal(answer.headers.get('allow'), 'POST, OPTIONS', what);
      }
      assert.deepEqual(on.bus.entries(), []);
      assert.equal(on.bus.bus.requestReplies.size, 0);
    });

    test('to OPTIONS', async () => {
      await using on = await start();
      const [mine, brokers] = await Promise.all(
        [on.url, `${on.bus.url}/default/default`].map((it) => fetch(it, { method: 'OPTIONS' })),
      );
      assert.equal(mine!.status, 200);
      for (const name of ['allow', 'webhook-allowed-origin', 'webhook-allowed-rate']) {
        assert.equal(mine!.headers.get(name), brokers!.headers.get(name), name);
      }
    });

    test('when the log is full', async () => {
      const store = openMemoryStore();
      const log = { ...store.log, append: () => Promise.reject(new LogFull('no space')) };
      await using on = await start({ store: { ...store, log } });
      const answer = await on.ask();
      assert.equal(answer.headers.get('retry-after'), '1');
      await refused(answer, 507);
      assert.equal(on.bus.bus.requestReplies.size, 0);
    });
  });

  test('answers 408 when the time is over, and the event goes its way; a reply that comes later is delivered', async () => {
    const clock = startClock();
    await using on = await start({ environment: clock, spec: { timeout: 'PT7S' } });
    const asking = on.ask();
    const [{ event }] = (await on.subscriber.count(1)) as [(typeof on.subscriber.received)[0]];
    clock.advance(7_000);
    const answer = await asking;
    assert.match((await refused(answer, 408)).detail, /no reply within 7 s; the event is accepted/);
    assert.equal(on.bus.bus.requestReplies.size, 0);
    const extensions = { replyid: String(event!.extensions['correlationid']) };
    await post(`${on.bus.url}/default/default`, { id: 'late', extensions });
    await on.bus.settled();
    await on.bus.bus.drain();
    const late = on.bus.entries().find((it) => it.event.id === 'late');
    assert.deepEqual(
      on.bus.bus.store.history.attempts(late!.position).map((it) => [it.route, it.outcome]),
      [['requestreply/default/ask', 'delivered']],
    );
  });

  test('does not hold on for a caller that has gone', async () => {
    await using on = await start();
    const gone = new AbortController();
    const asking = fetch(on.url, {
      method: 'POST',
      headers: { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': ASKED },
      signal: gone.signal,
    });
    await on.subscriber.count(1);
    assert.equal(on.bus.bus.requestReplies.size, 1);
    gone.abort();
    await assert.rejects(asking);
    await nobodyHeld(on.bus);
  });

  test('tells those who wait to come again when the bus stops', async () => {
    await using on = await start();
    const asking = [on.ask(), on.ask()];
    await on.subscriber.count(2);
    const draining = on.bus.bus.drain();
    for (const answer of await Promise.all(asking)) {
      assert.equal(answer.headers.get('retry-after'), '1');
      assert.match((await refused(answer, 503)).detail, /the event is accepted/);
    }
    await draining;
    assert.equal(on.bus.bus.requestReplies.size, 0);
    await refused(on.ask(), 503);
  });
});
