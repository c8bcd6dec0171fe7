import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { startClock } from '../support/clock.ts';
import { post } from '../support/events.ts';
import { AT_ONCE, declare, functionsOf, jsonOf, refTo, service } from '../support/flows.ts';
import type { Work } from '../support/flows.ts';
import { startSubscriber } from '../support/subscriber.ts';

// What goes beyond Knative: the join of a Parallel, Choice, Map.

const to = (name: string) => refTo('Service', name);
const services = (works: Record<string, Work>) => Object.keys(works).map(service).join('');
const entriesOf = (bus: TestBus, topic: string) => bus.entries().filter((it) => it.topic === topic);
const resultsOf = (bus: TestBus, flow: string) => entriesOf(bus, `results/${flow}`).map((it) => jsonOf(it.event));

const fails =
  (status: number, text: string): Work =>
  () => {
    throw new HandlerFailure(text, { status, body: Buffer.from(text) });
  };
const nothing: Work = () => undefined;

describe('a Parallel with a join', () => {
  const FLOW = 'parallel/default/sources';
  const joined = (branches: object[], join: Record<string, string>, spec: object = {}) =>
    declare(
      'Parallel',
      {
        name: 'sources',
        annotations: Object.fromEntries(Object.entries(join).map(([name, value]) => [`millrace.dev/${name}`, value])),
      },
      { branches, ...spec },
    );
  const branchesTo = (works: Record<string, Work>) => Object.keys(works).map((name) => ({ subscriber: to(name) }));
  const send = (bus: TestBus, event = {}) =>
    post(`${bus.url}/flows/parallel/default/sources`, { data: '{}', ...event });

  /** What one event becomes. */
  async function resultOf(
    works: Record<string, Work>,
    join: Record<string, string>,
    branches: object[] = branchesTo(works),
    others = '',
  ): Promise<{ results: unknown[]; letters: (readonly [string, string])[] }> {
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(services(works) + others + joined(branches, join));
    assert.equal((await send(bus)).status, 202);
    await bus.settled();
    const letters = await bus.deadLetters(0);
    return {
      results: resultsOf(bus, FLOW),
      letters: letters.map(({ route, failure }) => [route, failure.message] as const),
    };
  }

  test('answers with one event that tells what came of each branch, in their order', async () => {
    const slow = Promise.withResolvers<void>();
    const works: Record<string, Work> = {
      web: async () => {
        await slow.promise;
        return { from: 'web' };
      },
      database: () => {
        slow.resolve();
        return ['rows'];
      },
      api: nothing,
    };
    await using taker = await startSubscriber();
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(services(works) + joined(branchesTo(works), { join: 'all' }, { reply: { uri: taker.url } }));
    await send(bus, { id: 'q1', extensions: { subject: 'order-7', tenant: 'acme' } });
    const [got] = await taker.count(1);
    await bus.settled();
    assert.equal(taker.received.length, 1);
    const { id, source, type, subject, datacontenttype, extensions } = got!.event!;
    assert.deepEqual(
      { id, source, type, subject, datacontenttype },
      {
        id: 'q1',
        source: '/flows/parallel/default/sources',
        type: 'dev.millrace.parallel.joined',
        subject: 'order-7',
        datacontenttype: 'application/json',
      },
    );
    assert.deepEqual({ ...extensions }, { tenant: 'acme' });
    assert.deepEqual(jsonOf(got!.event), [
      { branch: 'web', outcome: 'succeeded', data: { from: 'web' } },
      { branch: 'database', outcome: 'succeeded', data: ['rows'] },
      { branch: 'api', outcome: 'empty' },
    ]);
  });

  test('keeps data as it came: JSON inside, text as text, other bytes as base64', async () => {
    const datas: Record<string, [string, Buffer]> = {
      json: ['application/json', Buffer.from('{"n": 1.0}')],
      text: ['text/plain', Buffer.from('two\nlines')],
      bytes: ['application/octet-stream', Buffer.from([0, 255])],
      broken: ['application/json', Buffer.from('{"n"')],
    };
    await using subscriber = await startSubscriber(({ path }) => {
      const [contentType, body] = datas[path.slice(1)]!;
      const headers = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'r' };
      return { status: 200, headers: { ...headers, 'content-type': contentType }, body };
    });
    await using bus = await startBus();
    await bus.apply(
      joined(
        Object.keys(datas).map((path) => ({ subscriber: { uri: subscriber.url + path } })),
        { join: 'all' },
      ),
    );
    await send(bus);
    await bus.settled();
    const [entry] = entriesOf(bus, `results/${FLOW}`);
    const text = Buffer.from(entry!.event.data!).toString();
    assert.match(text, /"data":\{"n": 1\.0\}/);
    const parts = JSON.parse(text) as Record<string, unknown>[];
    const branch = (path: string) => new URL(subscriber.url).host.replace(':', '-') + `-${path}`;
    assert.deepEqual(parts.slice(1), [
      { branch: branch('text'), outcome: 'succeeded', datacontenttype: 'text/plain', data: 'two\nlines' },
      {
        branch: branch('bytes'),
        outcome: 'succeeded',
        datacontenttype: 'application/octet-stream',
        data_base64: 'AP8=',
      },
      {
        branch: branch('broken'),
        outcome: 'succeeded',
        datacontenttype: 'application/json',
        data_base64: Buffer.from('{"n"').toString('base64'),
      },
    ]);
  });

  test('names a branch that failed, with its reason, and completes; the branch has its own dead letter', async () => {
    const { results, letters } = await resultOf({ good: () => 1, bad: fails(422, 'no such page') }, { join: 'all' });
    assert.deepEqual(results, [
      [
        { branch: 'good', outcome: 'succeeded', data: 1 },
        { branch: 'bad', outcome: 'failed', reason: `${FLOW}/bad: no such page` },
      ],
    ]);
    assert.deepEqual(letters, [[`${FLOW}/bad`, 'no such page']]);
  });

  test('fails with its branches where that is asked for, with their reasons', async () => {
    const works = { good: () => 1, bad: fails(422, 'no such page') };
    const { results, letters } = await resultOf(works, { join: 'all', 'join-failures': 'fail' });
    assert.deepEqual(results, []);
    assert.deepEqual(new Map(letters).get(FLOW), `the join cannot be completed: bad: ${FLOW}/bad: no such page`);
  });

  test('of `first` has the first answer, and calls the others off', async () => {
    const ended = Promise.withResolvers<void>();
    await using hanging = await startSubscriber(() => ({ hang: true }));
    const works: Record<string, Work> = {
      quick: async () => {
        await ended.promise;
        return 'quick';
      },
    };
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(
      services(works) + joined([{ subscriber: { uri: hanging.url } }, { subscriber: to('quick') }], { join: 'first' }),
    );
    await send(bus);
    await hanging.count(1);
    ended.resolve();
    await bus.settled();
    const [[hung, quick]] = resultsOf(bus, FLOW) as [Record<string, unknown>[]];
    assert.deepEqual(quick, { branch: 'quick', outcome: 'succeeded', data: 'quick' });
    assert.equal(hung!['outcome'], 'cancelled');
    const [entry] = bus.entries();
    const outcomes = bus.bus.store.history.attempts(entry!.position).map((it) => [it.route, it.outcome]);
    assert.ok(
      outcomes.some(([route, outcome]) => route!.includes('127.0.0.1') && outcome === 'cancelled'),
      JSON.stringify(outcomes),
    );
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('of a number has so many answers', async () => {
    await using hanging = await startSubscriber(() => ({ hang: true }));
    const works = { a: () => 'a', b: () => 'b' };
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(
      services(works) +
        joined([{ subscriber: to('a') }, { subscriber: { uri: hanging.url } }, { subscriber: to('b') }], { join: '2' }),
    );
    await send(bus);
    await bus.settled();
    const [parts] = resultsOf(bus, FLOW) as Record<string, unknown>[][];
    assert.deepEqual(
      parts!.map((it) => it['outcome']),
      ['succeeded', 'cancelled', 'succeeded'],
    );
  });

  for (const [failures, expected] of [
    ['complete', ['succeeded', 'late']],
    ['fail', undefined],
  ] as const) {
    test(`goes on at its deadline with what has come, and ${failures}s`, async () => {
      const clock = startClock();
      const works = { quick: () => 1 };
      await using bus = await startBus({ functions: functionsOf(works), environment: clock });
      // Ends before the bus, which waits for it.
      await using hanging = await startSubscriber(() => ({ hang: true }));
      const arrival = clock.now();
      const atDeadline = clock.expecting(arrival + 5_000);
      await bus.apply(
        services(works) +
          joined([{ subscriber: to('quick') }, { subscriber: { uri: hanging.url }, delivery: { retry: 0 } }], {
            join: 'all',
            'join-deadline': 'PT5S',
            'join-failures': failures,
          }),
      );
      await send(bus);
      await hanging.count(1);
      await atDeadline;
      await until(() => entriesOf(bus, `replies/${FLOW}`)[0]);
      // The join has heard of it when the route has done with it.
      await until(() => bus.bus.dispatcher.route(`${FLOW}/quick`)?.inFlight === 0 || undefined);
      clock.advance(5_000);
      if (expected === undefined) {
        const [letter] = await bus.deadLetters(1);
        assert.equal(letter!.route, FLOW);
        assert.match(letter!.failure.message, /no answer by the deadline of the join/);
      } else {
        const parts = await until(() => resultsOf(bus, FLOW)[0] as Record<string, unknown>[] | undefined);
        assert.deepEqual(
          parts.map((it) => it['outcome']),
          expected,
        );
      }
    });
  }

  test('follows a branch that is a Sequence, however long it is, without anything in the events', async () => {
    const works: Record<string, Work> = { one: () => 1, two: (data) => [data, 2], three: (data) => [data, 3] };
    const inner = declare('Sequence', 'inner', { steps: [to('one'), to('two'), to('three')] });
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(
      services(works) +
        inner +
        joined([{ subscriber: refTo('Sequence', 'inner') }, { subscriber: to('one') }], { join: 'all' }),
    );
    await send(bus, { id: 'same' });
    await send(bus, { id: 'same' });
    await bus.settled();
    const once = [
      { branch: 'inner', outcome: 'succeeded', data: [[1, 2], 3] },
      { branch: 'one', outcome: 'succeeded', data: 1 },
    ];
    assert.deepEqual(resultsOf(bus, FLOW), [once, once]);
  });

  test('follows a branch that is a Choice, a Map or a Parallel with a join, to what comes out of it', async () => {
    const works: Record<string, Work> = { add: (data) => Number(data) + 1, sum: () => 'sum', pick: () => 'picked' };
    const always = { prefix: { id: 'same' } };
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(
      services(works) +
        declare('Choice', 'choice', { choices: [{ filters: [always], subscriber: to('pick') }] }) +
        declare('Map', 'each', { subscriber: to('add') }) +
        declare(
          'Parallel',
          { name: 'inner', annotations: { 'millrace.dev/join': 'all' } },
          { branches: [{ subscriber: to('sum') }] },
        ) +
        joined(
          [
            { subscriber: refTo('Choice', 'choice') },
            { subscriber: refTo('Map', 'each') },
            { subscriber: refTo('Parallel', 'inner') },
          ],
          { join: 'all' },
        ),
    );
    await send(bus, { id: 'same', data: '[1]' });
    await bus.settled();
    assert.deepEqual(resultsOf(bus, FLOW), [
      [
        { branch: 'choice', outcome: 'succeeded', data: 'picked' },
        { branch: 'each', outcome: 'succeeded', data: [{ item: 0, outcome: 'succeeded', data: 2 }] },
        {
          branch: 'inner',
          outcome: 'succeeded',
          data: [{ branch: 'sum', outcome: 'succeeded', data: 'sum' }],
        },
      ],
    ]);
  });

  test('is told nothing by a branch that is a Choice without a choice for the event', async () => {
    const works = { pick: () => 'picked' };
    const never = { exact: { type: 'never' } };
    const { results } = await resultOf(
      works,
      { join: 'all' },
      [{ subscriber: refTo('Choice', 'choice') }, { subscriber: to('pick') }],
      declare('Choice', 'choice', { choices: [{ filters: [never], subscriber: to('pick') }] }),
    );
    assert.deepEqual(results, [
      [
        { branch: 'choice', outcome: 'empty' },
        { branch: 'pick', outcome: 'succeeded', data: 'picked' },
      ],
    ]);
  });

  test('skips a branch whose filter does not let the event pass; none for anybody is no event', async () => {
    const works = { web: () => 1, api: () => 2 };
    const branches = [
      { filters: [{ exact: { type: 'wanted' } }], subscriber: to('web') },
      { filters: [{ prefix: { type: 'want' } }], subscriber: to('api') },
    ];
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(services(works) + joined(branches, { join: 'all' }));
    await send(bus, { type: 'wants' });
    await send(bus, { type: 'other' });
    await bus.settled();
    assert.deepEqual(resultsOf(bus, FLOW), [
      [
        { branch: 'web', outcome: 'skipped' },
        { branch: 'api', outcome: 'succeeded', data: 2 },
      ],
    ]);
  });
});

describe('a Choice', () => {
  const choice = (spec: object) => declare('Choice', 'desk', spec);
  const works = { billing: () => 'billing', urgent: () => 'urgent', anybody: () => 'anybody' };
  const choices = [
    { filters: [{ exact: { type: 'bill' } }], subscriber: to('billing') },
    { filters: [{ cesql: "priority = 'high'" }], subscriber: to('urgent') },
  ];

  /** Who takes an event, of those that a Choice has. */
  async function taken(spec: object, event: object): Promise<unknown[]> {
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(services(works) + choice(spec));
    await post(`${bus.url}/flows/choice/default/desk`, event);
    await bus.settled();
    assert.equal((await bus.deadLetters(0)).length, 0);
    return resultsOf(bus, 'choice/default/desk');
  }
  const withDefault = { choices, default: { subscriber: to('anybody') } };

  test('hands an event to the choice that matches', async () => {
    assert.deepEqual(await taken(withDefault, { type: 'bill' }), ['billing']);
    assert.deepEqual(await taken(withDefault, { type: 'x', extensions: { priority: 'high' } }), ['urgent']);
  });
  test('hands it to the first of two that match, and to no other', async () => {
    assert.deepEqual(await taken(withDefault, { type: 'bill', extensions: { priority: 'high' } }), ['billing']);
  });
  test('hands to its default what no choice takes', async () => {
    assert.deepEqual(await taken(withDefault, { type: 'x', extensions: { priority: 'low' } }), ['anybody']);
    assert.deepEqual(await taken(withDefault, { type: 'x' }), ['anybody'], 'also what a filter cannot decide about');
  });
  test('without a default ends what no choice takes', async () => {
    assert.deepEqual(await taken({ choices }, { type: 'x', extensions: { priority: 'low' } }), []);
  });
  test('hands the answer to its reply, and is there under its own host name and path', async () => {
    await using taker = await startSubscriber();
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(services(works) + choice({ ...withDefault, reply: { uri: taker.url } }));
    const { url, conditions } = bus.bus.control.plan.statuses.get('Choice/default/desk')!;
    assert.ok(conditions.every((it) => it.status === 'True'));
    await post(url!, { type: 'bill' });
    const [got] = await taker.count(1);
    assert.equal(jsonOf(got!.event), 'billing');
  });
});

describe('a Map', () => {
  const FLOW = 'map/default/lines';
  const map = (spec: object = {}) => declare('Map', 'lines', { subscriber: to('work'), ...spec });

  async function mapped(
    work: Work,
    data: unknown,
    spec: object = {},
  ): Promise<{ bus: TestBus; results: unknown[]; letters: (readonly [string, number | undefined, string])[] }> {
    const bus = await startBus({ functions: functionsOf({ work }) });
    await bus.apply(service('work') + map(spec));
    const response = await post(`${bus.url}/flows/map/default/lines`, {
      id: 'order-1',
      type: 'order',
      data: typeof data === 'string' ? data : JSON.stringify(data),
    });
    assert.equal(response.status, 202);
    await bus.settled();
    const letters = await bus.deadLetters(0);
    return {
      bus,
      results: resultsOf(bus, FLOW),
      letters: letters.map(({ route, failure }) => [route, failure.status, failure.message] as const),
    };
  }

  test('makes one event of each item, and one of what came of them, in their order', async () => {
    const waiting: (() => void)[] = [];
    // The last to be taken is the first to be done.
    const work: Work = async (data) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 3) for (const go of waiting.toReversed()) setImmediate(go);
      });
      return [data];
    };
    const { bus, results } = await mapped(work, { order: { lines: ['a', 'b', 'c'] } }, { itemsPath: '$.order.lines' });
    await using _ = bus;
    assert.deepEqual(results, [['a', 'b', 'c'].map((data, item) => ({ item, outcome: 'succeeded', data: [data] }))]);
    assert.deepEqual(
      entriesOf(bus, `items/${FLOW}`).map(({ event }) => [event.id, event.type, event.source, jsonOf(event)]),
      ['a', 'b', 'c'].map((data, item) => [`order-1-${item}`, 'order', `/flows/${FLOW}`, data]),
    );
    assert.equal(entriesOf(bus, `results/${FLOW}`)[0]!.event.type, 'dev.millrace.map.joined');
  });

  test('has no more items under way at once than it says', async () => {
    let atOnce = 0;
    let most = 0;
    const work: Work = async (data) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      atOnce -= 1;
      return data;
    };
    const items = Array.from({ length: 50 }, (_, n) => n);
    const { bus, results } = await mapped(work, items, { maxConcurrency: 3 });
    await using _ = bus;
    assert.equal((results[0] as unknown[]).length, 50);
    assert.ok(most >= 1 && most <= 3, `${most} at once`);
  });

  test('of an empty list answers at once, with nothing', async () => {
    const { bus, results } = await mapped(nothing, []);
    await using _ = bus;
    assert.deepEqual(results, [[]]);
  });

  const odd: Work = (data) => (Number(data) % 2 === 1 ? fails(422, 'odd')(data, {} as never) : data);

  test('names the items that failed, as many as are tolerated', async () => {
    const { bus, results, letters } = await mapped(odd, [0, 1, 2], { toleratedFailures: 1 });
    await using _ = bus;
    assert.deepEqual(results, [
      [
        { item: 0, outcome: 'succeeded', data: 0 },
        { item: 1, outcome: 'failed', reason: `items/${FLOW}: odd` },
        { item: 2, outcome: 'succeeded', data: 2 },
      ],
    ]);
    assert.deepEqual(letters, [[`items/${FLOW}`, 422, 'odd']]);
  });

  test('fails when more have failed, and says which', async () => {
    const { bus, results, letters } = await mapped(odd, [0, 1, 2]);
    await using _ = bus;
    assert.deepEqual(results, []);
    const [, status, message] = letters.find(([route]) => route === FLOW)!;
    assert.equal(status, 424);
    assert.equal(message, `1 of 3 items failed: item 1: items/${FLOW}: odd`);
  });

  test('tries each item as its delivery says', async () => {
    let calls = 0;
    const work: Work = (data) => {
      calls += 1;
      return calls === 1 ? fails(503, 'busy')(data, {} as never) : data;
    };
    const { bus, results } = await mapped(work, [7], { delivery: { retry: 1, ...AT_ONCE } });
    await using _ = bus;
    assert.equal(calls, 2);
    assert.deepEqual(results, [[{ item: 0, outcome: 'succeeded', data: 7 }]]);
  });

  const unusable: Record<string, [unknown, string]> = {
    'no list': [{ lines: 1 }, 'expected a list at $, got an object'],
    'no JSON': ['hello', 'the data of the event is not JSON, so there is no list at $'],
    'a list of 100,000 items': [
      Array.from({ length: 100_000 }, () => 0),
      'the list at $ has 100000 items; a Map takes at most 10000',
    ],
  };
  for (const [what, [data, reason]] of Object.entries(unusable)) {
    test(`takes ${what} for what can never work: a dead letter at once, with the reason`, async () => {
      const { bus, results, letters } = await mapped((it) => it, data);
      await using _ = bus;
      assert.deepEqual(results, []);
      assert.deepEqual(letters, [[FLOW, 422, reason]]);
    });
  }
});

/** Looks until there is something to see. */
async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
