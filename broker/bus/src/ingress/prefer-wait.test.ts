import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';

import { startBus } from '../../../../test/support/bus.ts';
import type { TestBus } from '../../../../test/support/bus.ts';
import { startClock } from '../../../../test/support/clock.ts';
import { post } from '../../../../test/support/events.ts';
import type { Outgoing } from '../../../../test/support/events.ts';
import { AT_ONCE, declare, functionsOf, refTo, service } from '../../../../test/support/flows.ts';
import type { Work } from '../../../../test/support/flows.ts';
import { broker } from '../../../../test/support/manifests.ts';
import { refused } from '../../../../test/support/problem.ts';
import type { BusOptions } from '../bus.ts';
import { openMemoryStore } from '../log/memory.ts';
import type { RunView } from '../replies/run-view.ts';
import { waitPreferred } from './wait.ts';

const BROKER = '/default/default';
const PREFER = { prefer: 'wait=20' };
/** As `post` sends it. */
const SENT = 'com.example.test';

/** Each adds its name to the data; beside those: `silent` answers nothing, `failing` fails. */
const WORKS: Record<string, Work> = {
  ...Object.fromEntries(
    ['one', 'two', 'three'].map((name): [string, Work] => [name, (data) => `${String(data)} ${name}`]),
  ),
  silent: () => undefined,
  failing: () => {
    throw new HandlerFailure('no luck', { status: 400 });
  },
};
const SERVICES = Object.keys(WORKS).map(service).join('');
const to = (name: string) => refTo('Service', name);

/** A Trigger for what is sent, with something declared as its subscriber. */
function trigger(name: string, subscriber: object, spec: object = {}): string {
  const metadata = { name, namespace: 'default' };
  const filter = { attributes: { type: SENT } };
  const whole = { broker: 'default', subscriber, filter, ...spec };
  return `---\n${JSON.stringify({ apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata, spec: whole })}\n`;
}

async function start(
  yaml: string,
  options: Partial<BusOptions> & { works?: Record<string, Work> } = {},
): Promise<TestBus> {
  const { works = {}, ...others } = options;
  await using stack = new AsyncDisposableStack();
  const on = stack.use(await startBus({ functions: functionsOf({ ...WORKS, ...works }), ...others }));
  await on.apply(SERVICES + yaml);
  stack.move();
  return on;
}

const send = (on: TestBus, path: string, event: Outgoing = {}) =>
  post(on.url + path, { data: '["data"]', ...event, headers: { ...PREFER, ...event.headers } });
const view = async (on: TestBus, id: string, query = '') =>
  (await (await fetch(`${on.url}/runs/${id}${query}`)).json()) as RunView;
const result = (on: TestBus, id: string, query = '') => fetch(`${on.url}/runs/${id}/result${query}`);

/** Sequences, joins and the like, and what comes of an event that is sent into them: data, or a status. */
const CASES: [what: string, yaml: string, path: string, expected: unknown][] = [
  ['a broker that nobody listens to', broker(), BROKER, 'succeeded'],
  ['a reply into the broker', broker() + trigger('t', to('one')), BROKER, 'data one'],
  [
    'a reply that another trigger takes',
    broker() + trigger('t', to('one')) + trigger('u', to('two'), { filter: { attributes: { type: 'one.done' } } }),
    BROKER,
    'data one two',
  ],
  ['a subscriber without a reply', broker() + trigger('t', to('silent')), BROKER, 'succeeded'],
  ['a subscriber that fails', broker() + trigger('t', to('failing')), BROKER, 'failed'],
  [
    'one that fails beside one that replies',
    broker() + trigger('f', to('failing')) + trigger('t', to('one')),
    BROKER,
    'data one',
  ],
  [
    'a dead letter that nobody takes',
    declare('Channel', 'dead') +
      broker() +
      trigger('t', to('failing'), { delivery: { ...AT_ONCE, retry: 0, deadLetterSink: refTo('Channel', 'dead') } }),
    BROKER,
    'failed',
  ],
  [
    'a dead letter that somebody answers',
    declare('Channel', 'dead') +
      declare('Channel', 'after') +
      declare('Subscription', 'repair', {
        channel: refTo('Channel', 'dead').ref,
        subscriber: to('one'),
        reply: refTo('Channel', 'after'),
      }) +
      broker() +
      trigger('t', to('failing'), { delivery: { ...AT_ONCE, retry: 0, deadLetterSink: refTo('Channel', 'dead') } }),
    BROKER,
    'failed',
  ],
  [
    'an event that is only handed on',
    declare('Channel', 'c') + broker() + trigger('t', refTo('Channel', 'c')),
    BROKER,
    'succeeded',
  ],
  [
    'a channel whose subscription replies into another',
    declare('Channel', 'c') +
      declare('Channel', 'd') +
      declare('Subscription', 's', {
        channel: refTo('Channel', 'c').ref,
        subscriber: to('one'),
        reply: refTo('Channel', 'd'),
      }),
    '/channels/default/c',
    'data one',
  ],
  [
    'a Sequence',
    declare('Sequence', 's', { steps: [to('one'), to('two')] }),
    '/flows/sequence/default/s',
    'data one two',
  ],
  [
    'a Sequence whose outcome goes on',
    declare('Sequence', 's', { steps: [to('one')], reply: to('silent') }),
    '/flows/sequence/default/s',
    'data one',
  ],
  [
    'a Sequence that a step ends',
    declare('Sequence', 's', { steps: [to('silent'), to('two')] }),
    '/flows/sequence/default/s',
    'succeeded',
  ],
  [
    'a Sequence behind a trigger that replies into a channel',
    declare('Channel', 'c') +
      declare('Sequence', 's', { steps: [to('one')], reply: refTo('Channel', 'c') }) +
      broker() +
      trigger('t', refTo('Sequence', 's')),
    BROKER,
    'data one',
  ],
  [
    'a Parallel whose branches are joined',
    declare(
      'Parallel',
      { name: 'p', annotations: { 'millrace.dev/join': 'all' } },
      { branches: [{ subscriber: to('one') }, { subscriber: to('silent') }] },
    ),
    '/flows/parallel/default/p',
    [
      { branch: 'one', outcome: 'succeeded', data: 'data one' },
      { branch: 'silent', outcome: 'empty' },
    ],
  ],
  [
    'a join as a step of a Sequence',
    declare(
      'Parallel',
      { name: 'p', annotations: { 'millrace.dev/join': 'all' } },
      { branches: [{ subscriber: to('one') }, { subscriber: to('failing') }] },
    ) + declare('Sequence', 's', { steps: [to('two'), refTo('Parallel', 'p')] }),
    '/flows/sequence/default/s',
    undefined,
  ],
  [
    'a Map',
    declare('Map', 'm', { subscriber: to('one') }),
    '/flows/map/default/m',
    [{ item: 0, outcome: 'succeeded', data: 'data one' }],
  ],
  [
    'a Choice',
    declare('Choice', 'c', {
      choices: [{ filters: [{ exact: { type: 'other' } }], subscriber: to('one') }],
      default: { subscriber: to('two') },
    }),
    '/flows/choice/default/c',
    'data two',
  ],
];

/** Those that are told again by another process. */
const RESTARTED = new Set([
  'a reply that another trigger takes',
  'a dead letter that nobody takes',
  'an event that is only handed on',
  'a Sequence whose outcome goes on',
]);

const STORES = [
  ['memory', () => ({ store: openMemoryStore() })],
  ['SQLite', () => ({})],
] as const;

for (const [name, storing] of STORES) {
  describe(`Prefer: wait on ${name}`, () => {
    for (const [what, yaml, path, expected] of CASES) {
      test(`tells what came of ${what}, at once and later`, async () => {
        await using on = await start(yaml, storing());
        const answer = await send(on, path, { id: 'x/1' });
        assert.equal(answer.headers.get('preference-applied'), 'wait');
        assert.equal(answer.headers.get('millrace-position'), '1');
        if (expected === 'succeeded' || expected === 'failed') {
          assert.equal(answer.status, 202);
          assert.equal(answer.headers.get('location'), '/runs/x%2F1');
          assert.deepEqual(await answer.json(), { id: 'x/1', status: expected, location: '/runs/x%2F1' });
          const later = await result(on, 'x%2F1');
          if (expected === 'succeeded') assert.equal(later.status, 204);
          else assert.equal((await refused(later, 502)).detail, 'trigger/default/t: no luck');
        } else {
          assert.equal(answer.status, 200, await answer.clone().text());
          if (expected !== undefined) assert.deepEqual(await answer.clone().json(), expected);
          assert.notEqual(answer.headers.get('ce-type'), SENT);
          const later = await result(on, 'x%2F1');
          assert.equal(later.status, 200);
          for (const it of ['ce-id', 'ce-source', 'ce-type', 'content-type'])
            assert.equal(later.headers.get(it), answer.headers.get(it), it);
          assert.equal(await later.text(), await answer.text());
        }
        assert.equal((await view(on, 'x%2F1')).status, expected === 'failed' ? 'failed' : 'succeeded');
        assert.equal(on.bus.runs.size, 0);
      });
    }

    test('gives each of 200 callers at once its own reply', async () => {
      await using on = await start(declare('Sequence', 's', { steps: [to('one'), to('two')] }), storing());
      const ids = Array.from({ length: 200 }, (_, index) => `call-${index}`);
      const answers = await Promise.all(
        ids.map(async (id) => (await send(on, '/flows/sequence/default/s', { id, data: JSON.stringify(id) })).json()),
      );
      assert.deepEqual(
        answers,
        ids.map((id) => `${id} one two`),
      );
      assert.equal(on.bus.runs.size, 0);
    });
  });
}

/** A function that answers when it is told to. */
function holding() {
  const go = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<CloudEvent>();
  const held: Work = async (data, event) => {
    reached.resolve(event);
    await go.promise;
    return `${String(data)} at last`;
  };
  return {
    works: { held },
    yaml: service('held') + broker() + trigger('t', to('held')),
    go: go.resolve,
    reached: reached.promise,
  };
}

describe('Prefer: wait', () => {
  test('with no time tells where the reply will be, which is had from there by waiting', async () => {
    const { works, yaml, go } = holding();
    await using on = await start(yaml, { works });
    const answer = await send(on, BROKER, { id: 'a', headers: { prefer: 'wait=0' } });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get('location'), '/runs/a');
    assert.deepEqual(await answer.json(), { id: 'a', status: 'running', location: '/runs/a' });
    const open = await result(on, 'a');
    assert.equal(open.status, 202);
    assert.equal(open.headers.get('retry-after'), '1');
    const { created, ...seen } = (await open.json()) as RunView;
    assert.deepEqual(seen, { id: 'a', status: 'running', location: '/runs/a', result: '/runs/a/result' });
    assert.ok(Math.abs(Date.now() - Date.parse(created)) < 60_000);
    const waiting = [view(on, 'a', '?wait=20s'), result(on, 'a', '?wait=20s')] as const;
    go();
    assert.equal((await waiting[0]).status, 'succeeded');
    assert.equal(await (await waiting[1]).json(), 'data at last');
  });

  test('is over with the time', async () => {
    const clock = startClock();
    const { works, yaml, go, reached } = holding();
    await using on = await start(yaml, { works, environment: clock });
    const sending = send(on, BROKER, { id: 'a', headers: { prefer: 'respond-async, wait=7' } });
    await Promise.all([reached, clock.expecting(clock.now() + 7_000)]);
    clock.advance(7_000);
    const answer = await sending;
    assert.equal(answer.status, 202);
    assert.equal(((await answer.json()) as RunView).status, 'running');
    assert.equal(on.bus.runs.size, 0);
    go();
  });

  test('does not hold on for a caller that has gone', async () => {
    const { works, yaml, go, reached } = holding();
    await using on = await start(yaml, { works });
    const gone = new AbortController();
    const attributes = { 'ce-specversion': '1.0', 'ce-id': 'a', 'ce-source': '/s', 'ce-type': SENT };
    const sending = fetch(on.url + BROKER, {
      method: 'POST',
      headers: { ...attributes, ...PREFER },
      signal: gone.signal,
    });
    await reached;
    while (on.bus.runs.size === 0) await new Promise(setImmediate);
    gone.abort();
    await assert.rejects(sending);
    while (on.bus.runs.size > 0) await new Promise(setImmediate);
    go();
  });

  test('ends when the bus stops, and the run can be asked for when it is there again', async () => {
    const { works, yaml, go, reached } = holding();
    const first = await start(yaml, { works });
    const sending = send(first, BROKER, { id: 'a' });
    await reached;
    // A turn later, it is held indeed.
    do await new Promise(setImmediate);
    while (first.bus.runs.size === 0);
    const draining = first.bus.drain();
    const answer = await sending;
    assert.equal(answer.status, 202);
    assert.equal(((await answer.json()) as RunView).status, 'running');
    go();
    await draining;
    await using on = await first.restart();
    await on.apply(SERVICES + yaml);
    assert.equal(await (await result(on, 'a', '?wait=20s')).json(), 'data at last');
  });

  test('leaves runs that are told alike by the next process, as soon as its plan stands', async () => {
    const cases = CASES.filter(([what]) => RESTARTED.has(what));
    assert.equal(cases.length, RESTARTED.size);
    for (const [what, yaml, path] of cases) {
      const first = await start(yaml);
      const answer = await send(first, path, { id: 'a' });
      const before = [await view(first, 'a'), await (await result(first, 'a')).text()];
      await using on = await first.restart();
      assert.equal((await view(on, 'a')).status, 'running', `${what}, before it is declared`);
      await on.apply(SERVICES + yaml);
      assert.deepEqual([await view(on, 'a'), await (await result(on, 'a')).text()], before, what);
      if (answer.status === 200) assert.equal(before[1], await answer.text());
    }
  });

  test('is for one event: of a batch, and of what cannot be read, nobody waits', async () => {
    await using on = await start(broker());
    const one = { specversion: '1.0', id: 'a', source: '/s', type: 't' };
    const batch = await fetch(on.url + BROKER, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json', ...PREFER },
      body: JSON.stringify([one, { ...one, id: 'b' }]),
    });
    const unread = await send(on, BROKER, { headers: { prefer: 'wait=soon' } });
    for (const answer of [batch, unread]) {
      assert.equal(answer.status, 202);
      assert.equal(answer.headers.get('preference-applied'), null);
      assert.equal(await answer.text(), '');
    }
    await refused(fetch(`${on.url}/runs/a`), 404);
  });

  test('is refused as any event is', async () => {
    await using on = await start(broker(), { maxEventBytes: 100 });
    await refused(send(on, BROKER, { data: 'x'.repeat(101) }), 413);
    await refused(send(on, BROKER, { id: '' }), 400);
    await refused(send(on, '/default/none'), 404);
  });
});

describe('the runs of the data port', () => {
  test('are asked for with GET, and with a wait that can be read', async () => {
    await using on = await start(broker());
    await send(on, BROKER, { id: 'a' });
    const answer = await fetch(`${on.url}/runs/a`, { method: 'DELETE' });
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    await refused(answer, 405);
    await refused(fetch(`${on.url}/runs/a?wait=long`), 400);
    await refused(fetch(`${on.url}/runs/a?wait=11m`), 400);
    await refused(fetch(`${on.url}/runs/nobody`), 404);
    await refused(fetch(`${on.url}/runs/nobody/result`), 404);
    const head = await fetch(`${on.url}/runs/a`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
  });

  test('are not calls, and calls are not runs', async () => {
    await using on = await start(broker());
    await send(on, BROKER, { id: 'run' });
    const call = await fetch(`${on.url}/functions/default/one`, {
      method: 'POST',
      headers: { prefer: 'respond-async', 'x-call-id': 'call' },
    });
    assert.equal(call.status, 202);
    assert.equal((await fetch(`${on.url}/calls/call`)).status, 200);
    assert.equal((await fetch(`${on.url}/runs/run`)).status, 200);
    await refused(fetch(`${on.url}/calls/run`), 404);
    await refused(fetch(`${on.url}/runs/call`), 404);
  });

  test('leave a broker whose namespace is called runs its path', async () => {
    await using on = await start(broker(undefined, { name: 'a', namespace: 'runs' }));
    assert.equal((await post(`${on.url}/runs/a`, {})).status, 202);
  });
});

test('the preference is read as RFC 7240 has it', () => {
  const read: [string | readonly string[] | undefined, number | undefined][] = [
    [undefined, undefined],
    ['respond-async', undefined],
    ['wait=0', 0],
    ['wait=10', 10_000],
    ['Wait = "10"; x=y', 10_000],
    ['respond-async, wait=5', 5_000],
    [['respond-async', 'wait=5, wait=9'], 5_000],
    ['wait=601', 600_000],
    [`wait=${'9'.repeat(400)}`, 600_000],
    ['wait', undefined],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['await=5', undefined],
    ['x="wait=5"', undefined],
  ];
  for (const [prefer, expected] of read) assert.equal(waitPreferred(prefer), expected, String(prefer));
});

test('a run is open until the first plan stands after a start, as nobody knows before what takes its events', async () => {
  const store = openMemoryStore();
  const topic = 'broker/default/default';
  const entryOf = (id: string, type: string, others: object) => {
    const attributes = { specversion: '1.0', id, source: '/test', type, datacontenttype: 'application/json' };
    return { topic, event: makeEvent(attributes, Buffer.from('["data"]')), arrivedAt: 1, hops: 0, ...others };
  };
  const manifests =
    SERVICES +
    broker() +
    trigger('first', to('one')) +
    trigger('second', to('two'), { filter: { attributes: { type: 'one.done' } } });
  // What a process leaves that has ended between a reply and the delivery of that.
  const route = 'trigger/default/first';
  await store.progress.save([
    { route, position: 1 },
    { route: 'trigger/default/second', position: 0 },
  ]);
  await store.log.append([entryOf('asked', SENT, { findable: true })]);
  const made = { route, position: 1, attempt: 1, stage: 'subscriber', outcome: 'delivered', startedAt: 1 } as const;
  const reply = entryOf('asked.one', 'one.done', { hops: 1, cause: { position: 1, route } });
  await store.log.append([reply], { ...made, duration: 0, waited: false });
  await using on = await startBus({ store, functions: functionsOf(WORKS) });
  const early = await result(on, 'asked');
  assert.deepEqual([early.status, early.headers.get('retry-after')], [202, '1']);
  await on.apply(manifests);
  const final = await result(on, 'asked', '?wait=20s');
  assert.deepEqual([final.status, final.headers.get('ce-type')], [200, 'two.done']);
});
