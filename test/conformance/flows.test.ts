import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { AT_ONCE, declare, functionsOf, jsonOf, refTo, replyEvent, service } from '../support/flows.ts';
import type { Work } from '../support/flows.ts';
import { broker } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

// knative.md §5: Sequence and Parallel as Knative has them. Joins and our own kinds: joins.test.ts.

const to = (name: string) => refTo('Service', name);
const services = (...names: string[]) => names.map(service).join('');
const sequence = (steps: object[], spec: object = {}, name = 'research') =>
  declare('Sequence', name, { steps, ...spec });
const parallel = (branches: object[], spec: object = {}, name = 'sources') =>
  declare('Parallel', name, { branches, ...spec });

const sequenceAt = (bus: TestBus, name = 'research') => `${bus.url}/flows/sequence/default/${name}`;
const parallelAt = (bus: TestBus, name = 'sources') => `${bus.url}/flows/parallel/default/${name}`;
const statusOf = (bus: TestBus, key: string) => bus.bus.control.plan.statuses.get(key);
const entriesOf = (bus: TestBus, topic: string) => bus.entries().filter((it) => it.topic === topic);
const dataOf = (bus: TestBus, topic: string) => entriesOf(bus, topic).map((it) => jsonOf(it.event));

/** Functions that each add their name to the list that they get, and others; and a record of what they got, in order. */
function adders(
  names: readonly string[],
  others: Readonly<Record<string, Work>> = {},
): { functions: ReturnType<typeof functionsOf>; seen: [string, unknown][] } {
  const seen: [string, unknown][] = [];
  const noted = (name: string, work: Work): [string, Work] => [
    name,
    (data, event) => {
      seen.push([name, data]);
      return work(data, event);
    },
  ];
  const works = names.map((name) => noted(name, (data) => [...(data as string[]), name]));
  const all = [...works, ...Object.entries(others).map(([name, work]) => noted(name, work))];
  return { functions: functionsOf(Object.fromEntries(all)), seen };
}

const nothing = () => undefined;

const fails = (status: number, text: string) => () => {
  throw new HandlerFailure(text, { status, body: Buffer.from(text) });
};

/** As `kmeta.ChildName` has it for a suffix of fewer than 31 characters (knative.md §1.1). */
function childOf(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= 63) return parent + suffix;
  return parent.slice(0, 31 - suffix.length) + createHash('md5').update(parent).digest('hex') + suffix;
}

describe('a Sequence', () => {
  const names = ['first', 'second', 'third'];
  const steps = names.map(to);

  test('calls its steps in order, each with the reply of the one before, and hands the last to its reply', async () => {
    const { functions, seen } = adders(names, { taker: nothing });
    await using bus = await startBus({ functions });
    await bus.apply(services(...names, 'taker') + sequence(steps, { reply: to('taker') }));
    assert.equal((await post(sequenceAt(bus), { data: '[]' })).status, 202);
    await bus.settled();
    assert.deepEqual(seen, [
      ['first', []],
      ['second', ['first']],
      ['third', ['first', 'second']],
      ['taker', ['first', 'second', 'third']],
    ]);
    assert.deepEqual(
      bus.entries().map(({ topic, hops, cause }) => [topic, hops, cause?.route]),
      [
        ['sequence/default/research/first', 0, undefined],
        ['sequence/default/research/second', 1, 'sequence/default/research/first'],
        ['sequence/default/research/third', 2, 'sequence/default/research/second'],
        ['results/sequence/default/research', 3, 'sequence/default/research/third'],
      ],
    );
  });

  test('replaces the event by the reply: nothing of it is merged, and nothing is added', async () => {
    await using first = await startSubscriber(() => replyEvent('answered', { n: 1 }));
    await using second = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(sequence([{ uri: first.url }, { uri: second.url }]));
    await post(sequenceAt(bus), { type: 'asked', data: '{}', extensions: { mine: 'lost' } });
    const [asked] = await first.count(1);
    const [got] = await second.count(1);
    assert.deepEqual({ ...asked!.event!.extensions }, { mine: 'lost' });
    assert.equal(got!.event!.type, 'answered');
    assert.deepEqual({ ...got!.event!.extensions }, {});
    assert.equal(got!.headers['prefer'], 'reply');
    assert.equal(got!.headers['kn-namespace'], 'default');
  });

  test('ends at a step that replies with nothing', async () => {
    const { functions, seen } = adders(['first', 'third'], { second: nothing, taker: nothing });
    await using bus = await startBus({ functions });
    await bus.apply(services(...names, 'taker') + sequence(steps, { reply: to('taker') }));
    await post(sequenceAt(bus), { data: '[]' });
    await bus.settled();
    assert.deepEqual(
      seen.map(([name]) => name),
      ['first', 'second'],
    );
    assert.deepEqual(entriesOf(bus, 'results/sequence/default/research'), []);
    assert.equal((await bus.deadLetters(0)).length, 0);
    const [, reply] = bus.entries();
    const attempt = await until(() => bus.bus.store.history.attempts(reply!.position)[0]);
    assert.deepEqual([attempt.route, attempt.outcome], ['sequence/default/research/second', 'delivered']);
  });

  test('keeps what comes out where there is no reply', async () => {
    await using bus = await startBus({ functions: adders(names).functions });
    await bus.apply(services(...names) + sequence(steps));
    await post(sequenceAt(bus), { data: '[]' });
    await bus.settled();
    assert.deepEqual(dataOf(bus, 'results/sequence/default/research'), [names]);
  });

  test('has a delivery for each step: what one fails at goes to its own dead letter sink, and no later step runs', async () => {
    await using sink = await startSubscriber();
    await using second = await startSubscriber(() => ({ status: 503 }));
    const { functions, seen } = adders(['first', 'third']);
    await using bus = await startBus({ functions });
    const delivery = { retry: 2, ...AT_ONCE, deadLetterSink: { uri: sink.url } };
    await bus.apply(services('first', 'third') + sequence([to('first'), { uri: second.url, delivery }, to('third')]));
    await post(sequenceAt(bus), { data: '[]' });
    const [got] = await sink.count(1);
    await bus.settled();
    assert.equal(second.received.length, 3);
    assert.deepEqual(jsonOf(got!.event), ['first'], 'the event that the step got');
    assert.deepEqual({ ...got!.event!.extensions }, { knativeerrordest: second.url, knativeerrorcode: '503' });
    assert.deepEqual(
      seen.map(([name]) => name),
      ['first'],
    );
  });

  test('has the delivery of its channel template where a step says none', async () => {
    await using step = await startSubscriber(() => ({ status: 503 }));
    await using bus = await startBus();
    const channelTemplate = {
      apiVersion: 'messaging.knative.dev/v1',
      kind: 'InMemoryChannel',
      spec: { delivery: { retry: 1, ...AT_ONCE } },
    };
    await bus.apply(sequence([{ uri: step.url }], { channelTemplate }));
    await post(sequenceAt(bus), {});
    await bus.settled();
    assert.equal(step.received.length, 2);
  });

  const replies: Record<string, [object, string, string]> = {
    'a broker': [refTo('Broker', 'default'), broker(), 'broker/default/default'],
    'a channel': [refTo('InMemoryChannel', 'out'), declare('InMemoryChannel', 'out'), 'channel/default/out'],
    'another Sequence': [
      refTo('Sequence', 'next'),
      sequence([{ uri: 'http://127.0.0.1:1/' }], {}, 'next'),
      'sequence/default/next/127.0.0.1-1',
    ],
    'a Parallel': [
      refTo('Parallel', 'next'),
      parallel([{ subscriber: to('first') }], {}, 'next'),
      'parallel/default/next',
    ],
  };
  for (const [what, [reply, manifest, topic]] of Object.entries(replies)) {
    test(`may reply into ${what}`, async () => {
      await using bus = await startBus({ functions: adders(['first']).functions });
      await bus.apply(services('first') + manifest + sequence([to('first')], { reply }));
      await post(sequenceAt(bus), { data: '[]' });
      const entry = await until(() => entriesOf(bus, topic)[0]);
      assert.deepEqual(jsonOf(entry.event), ['first']);
    });
  }

  test('hands its last reply to a uri, which is asked for no reply: whatever it answers is taken', async () => {
    await using taker = await startSubscriber(() => ({
      status: 200,
      body: 'ok',
      headers: { 'content-type': 'text/plain' },
    }));
    await using bus = await startBus({ functions: adders(['first']).functions });
    await bus.apply(services('first') + sequence([to('first')], { reply: { uri: taker.url } }));
    await post(sequenceAt(bus), { data: '[]' });
    const [got] = await taker.count(1);
    assert.equal(got!.headers['prefer'], undefined);
    await bus.settled();
    assert.equal(taker.received.length, 1);
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('may be a step, and a step may be a function, a uri or another Sequence', async () => {
    await using uri = await startSubscriber(({ event }) => replyEvent('uri', [...(jsonOf(event) as string[]), 'uri']));
    await using bus = await startBus({ functions: adders(['first', 'second']).functions });
    await bus.apply(
      services('first', 'second') +
        sequence([{ uri: uri.url }, to('second')], {}, 'inner') +
        sequence([to('first'), refTo('Sequence', 'inner')]),
    );
    await post(sequenceAt(bus), { data: '[]' });
    await bus.settled();
    assert.deepEqual(dataOf(bus, 'results/sequence/default/inner'), [['first', 'uri', 'second']]);
  });

  test('has for each step a channel and a subscription of Knative’s names, owned by it', async () => {
    await using bus = await startBus();
    const steps = [{ uri: 'http://127.0.0.1:1/a' }, { uri: 'http://127.0.0.1:1/b' }];
    await bus.apply(sequence(steps));
    const { conditions, url, details } = statusOf(bus, 'Sequence/default/research')!;
    assert.deepEqual(
      conditions.map(({ type, status }) => `${type}=${status}`),
      ['Ready=True', 'ChannelsReady=True', 'SubscriptionsReady=True', 'Addressable=True', 'EventPoliciesReady=True'],
    );
    assert.equal(url, sequenceAt(bus));
    const ready = { type: 'Ready', status: 'True' };
    const reference = (kind: string, index: number) => ({
      apiVersion: 'messaging.knative.dev/v1',
      kind,
      namespace: 'default',
      name: `research-kn-sequence-${index}`,
    });
    assert.deepEqual(details, {
      channelStatuses: [0, 1].map((index) => ({ channel: reference('InMemoryChannel', index), ready })),
      subscriptionStatuses: [0, 1].map((index) => ({ subscription: reference('Subscription', index), ready })),
    });
    for (const index of [0, 1]) {
      for (const kind of ['InMemoryChannel', 'Subscription']) {
        const child = statusOf(bus, `${kind}/default/research-kn-sequence-${index}`);
        assert.equal(child?.owner, 'Sequence/default/research', `${kind} ${index}`);
      }
    }
    await bus.apply(sequence(steps.slice(0, 1)));
    assert.equal(statusOf(bus, 'InMemoryChannel/default/research-kn-sequence-1'), undefined);
    await bus.apply('');
    assert.equal(statusOf(bus, 'Subscription/default/research-kn-sequence-0'), undefined);
  });

  test('has channels of the kind of its template', async () => {
    await using bus = await startBus();
    const channelTemplate = { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel' };
    await bus.apply(sequence([{ uri: 'http://127.0.0.1:1/' }], { channelTemplate }));
    assert.equal(statusOf(bus, 'KafkaChannel/default/research-kn-sequence-0')?.owner, 'Sequence/default/research');
  });

  for (const length of [48, 49, 63]) {
    test(`of a name of ${length} characters has children named as kmeta.ChildName does it`, async () => {
      const name = 's'.repeat(length);
      await using bus = await startBus();
      await bus.apply(sequence([{ uri: 'http://127.0.0.1:1/' }], {}, name));
      const child = childOf(name, '-kn-sequence-0');
      assert.ok(child.length <= 63);
      assert.equal(statusOf(bus, `InMemoryChannel/default/${child}`)?.owner, `Sequence/default/${name}`);
      assert.equal((await post(`${bus.url}/channels/default/${child}`, {})).status, 202);
    });
  }

  test('takes events into the channel of a step, from where they go on', async () => {
    const { functions, seen } = adders(names);
    await using bus = await startBus({ functions });
    await bus.apply(services(...names) + sequence(steps));
    await post(`${bus.url}/channels/default/research-kn-sequence-1`, { data: '[]' });
    await bus.settled();
    assert.deepEqual(seen, [
      ['second', []],
      ['third', ['second']],
    ]);
  });

  test('whose step is not there is not ready and names it; what comes waits, and flows when it appears', async () => {
    const { functions, seen } = adders(names);
    await using bus = await startBus({ functions });
    const flow = sequence(steps);
    await bus.apply(services('first', 'third') + flow);
    const [ready] = statusOf(bus, 'Sequence/default/research')!.conditions;
    assert.deepEqual([ready!.status, ready!.reason], ['False', 'NotFound']);
    assert.match(ready!.message!, /^spec\.steps\[1\]: the Service default\/second is not declared/);
    const subscription = statusOf(bus, 'Subscription/default/research-kn-sequence-1')!;
    assert.equal(subscription.conditions[0]!.status, 'False');
    assert.equal(statusOf(bus, 'Subscription/default/research-kn-sequence-0')!.conditions[0]!.status, 'True');
    assert.equal((await post(sequenceAt(bus), { data: '[]' })).status, 202);
    await until(() => entriesOf(bus, 'sequence/default/research/second')[0]);
    assert.deepEqual(
      seen.map(([name]) => name),
      ['first'],
    );

    await bus.apply(services(...names) + flow);
    assert.equal(statusOf(bus, 'Sequence/default/research')!.conditions[0]!.status, 'True');
    await bus.settled();
    assert.deepEqual(dataOf(bus, 'results/sequence/default/research'), [names]);
  });
});

describe('a Parallel', () => {
  test('hands each event to all branches, and each of their replies by itself to its reply', async () => {
    const taken: unknown[] = [];
    const { functions } = adders(['web', 'database'], { taker: (data) => void taken.push(data) });
    await using bus = await startBus({ functions });
    await bus.apply(
      services('web', 'database', 'taker') +
        parallel([{ subscriber: to('web') }, { subscriber: to('database') }], { reply: to('taker') }),
    );
    assert.equal((await post(parallelAt(bus), { data: '[]' })).status, 202);
    await bus.settled();
    assert.deepEqual(taken.map(String).toSorted(), ['database', 'web']);
  });

  test('has branches that are independent: one that fails or hangs holds no other up', async () => {
    await using failing = await startSubscriber(() => ({ status: 400 }));
    await using hanging = await startSubscriber(() => ({ hang: true }));
    await using quick = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(
      parallel([
        { subscriber: { uri: failing.url } },
        { subscriber: { uri: hanging.url }, delivery: { timeout: 'PT1S', retry: 0 } },
        { subscriber: { uri: quick.url } },
      ]),
    );
    for (const id of ['1', '2', '3']) await post(parallelAt(bus), { id });
    const got = await quick.count(3);
    assert.deepEqual(got.map(({ event }) => event!.id).toSorted(), ['1', '2', '3']);
    const letters = await bus.deadLetters(3);
    assert.ok(letters.every((it) => it.route.startsWith('parallel/default/sources/')));
  });

  test('sends the reply of a branch to the branch’s own reply, else to that of the whole', async () => {
    await using own = await startSubscriber();
    await using whole = await startSubscriber();
    await using bus = await startBus({ functions: adders(['web', 'database']).functions });
    await bus.apply(
      services('web', 'database') +
        parallel([{ subscriber: to('web'), reply: { uri: own.url } }, { subscriber: to('database') }], {
          reply: { uri: whole.url },
        }),
    );
    await post(parallelAt(bus), { data: '[]' });
    const [ofWeb] = await own.count(1);
    const [ofDatabase] = await whole.count(1);
    await bus.settled();
    assert.deepEqual([jsonOf(ofWeb!.event), jsonOf(ofDatabase!.event)], [['web'], ['database']]);
    assert.deepEqual([own.received.length, whole.received.length], [1, 1]);
  });

  test('asks a filter that is a service: its reply, not the event, goes on; without a reply the branch ends', async () => {
    await using filter = await startSubscriber(({ event }) =>
      event!.type === 'good' ? replyEvent('filtered', ['by the filter']) : { status: 200 },
    );
    await using branch = await startSubscriber(({ event }) => replyEvent('done', jsonOf(event)));
    await using bus = await startBus();
    await bus.apply(
      parallel([{ filter: { uri: filter.url }, subscriber: { uri: branch.url }, reply: refTo('Broker', 'default') }]) +
        broker(),
    );
    await post(parallelAt(bus), { type: 'bad' });
    await post(parallelAt(bus), { type: 'good' });
    await bus.settled();
    assert.equal(filter.received.length, 2);
    assert.deepEqual(
      branch.received.map(({ event }) => [event!.type, jsonOf(event)]),
      [['filtered', ['by the filter']]],
    );
    assert.deepEqual(dataOf(bus, 'broker/default/default'), [['by the filter']]);
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('may filter by itself, with the dialects of a Trigger', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    const branch = (path: string, filters: object[]) => ({ filters, subscriber: { uri: subscriber.url + path } });
    await bus.apply(
      parallel([
        branch('exact', [{ exact: { type: 'good' } }]),
        branch('cesql', [{ cesql: "type = 'bad' OR subject = 's'" }]),
        branch('not', [{ not: { prefix: { type: 'g' } } }]),
      ]),
    );
    await post(parallelAt(bus), { type: 'good' });
    await bus.settled();
    assert.deepEqual(
      subscriber.received.map(({ path }) => path),
      ['/exact'],
    );
    await post(parallelAt(bus), { type: 'bad' });
    await bus.settled();
    assert.deepEqual(
      subscriber.received
        .slice(1)
        .map(({ path }) => path)
        .toSorted(),
      ['/cesql', '/not'],
    );
  });

  test('has the channels and subscriptions of Knative’s names, owned by it', async () => {
    await using bus = await startBus();
    await bus.apply(
      parallel([{ filter: { uri: 'http://127.0.0.1:1/f' }, subscriber: { uri: 'http://127.0.0.1:1/a' } }]),
    );
    const { conditions, url, details } = statusOf(bus, 'Parallel/default/sources')!;
    assert.deepEqual(
      conditions.map(({ type, status }) => `${type}=${status}`),
      ['Ready=True', 'ChannelsReady=True', 'SubscriptionsReady=True', 'Addressable=True', 'EventPoliciesReady=True'],
    );
    assert.equal(url, parallelAt(bus));
    const ready = { type: 'Ready', status: 'True' };
    const part = (kind: string, name: string) => ({
      apiVersion: 'messaging.knative.dev/v1',
      kind,
      namespace: 'default',
      name,
    });
    assert.deepEqual(details, {
      ingressChannelStatus: { channel: part('InMemoryChannel', 'sources-kn-parallel'), ready },
      branchStatuses: [
        {
          filterChannelStatus: { channel: part('InMemoryChannel', 'sources-kn-parallel-0'), ready },
          filterSubscriptionStatus: { subscription: part('Subscription', 'sources-kn-parallel-filter-0'), ready },
          subscriberSubscriptionStatus: { subscription: part('Subscription', 'sources-kn-parallel-0'), ready },
        },
      ],
    });
    for (const key of [
      'InMemoryChannel/default/sources-kn-parallel',
      'InMemoryChannel/default/sources-kn-parallel-0',
      'Subscription/default/sources-kn-parallel-filter-0',
      'Subscription/default/sources-kn-parallel-0',
    ]) {
      assert.equal(statusOf(bus, key)?.owner, 'Parallel/default/sources', key);
    }
  });

  test('of a long name has children named as kmeta.ChildName does it', async () => {
    const name = 'p'.repeat(60);
    await using bus = await startBus();
    await bus.apply(parallel([{ subscriber: { uri: 'http://127.0.0.1:1/' } }], {}, name));
    for (const suffix of ['-kn-parallel', '-kn-parallel-0']) {
      const child = childOf(name, suffix);
      assert.equal(statusOf(bus, `InMemoryChannel/default/${child}`)?.owner, `Parallel/default/${name}`);
      assert.equal((await post(`${bus.url}/channels/default/${child}`, {})).status, 202);
    }
  });

  test('takes events into its ingress channel, for all branches, and into that of one, for it alone', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(parallel(['a', 'b'].map((path) => ({ subscriber: { uri: subscriber.url + path } }))));
    const paths = () => subscriber.received.map(({ path }) => path).toSorted();
    await post(`${bus.url}/channels/default/sources-kn-parallel-1`, {});
    await bus.settled();
    assert.deepEqual(paths(), ['/b']);
    await post(`${bus.url}/channels/default/sources-kn-parallel`, {});
    await bus.settled();
    assert.deepEqual(paths(), ['/a', '/b', '/b']);
  });

  test('whose branch is not there is not ready and names it; the other branches run, and this one when it appears', async () => {
    const { functions, seen } = adders(['web', 'database']);
    await using bus = await startBus({ functions });
    const flow = parallel([{ subscriber: to('web') }, { subscriber: to('database') }]);
    await bus.apply(services('web') + flow);
    const [ready] = statusOf(bus, 'Parallel/default/sources')!.conditions;
    assert.equal(ready!.reason, 'NotFound');
    assert.match(ready!.message!, /^spec\.branches\[1\]\.subscriber: the Service default\/database is not declared/);
    await post(parallelAt(bus), { data: '[]' });
    await until(() => seen[0]);
    await bus.apply(services('web', 'database') + flow);
    await bus.settled();
    assert.deepEqual(seen, [
      ['web', []],
      ['database', []],
    ]);
  });

  test('counts a branch that fails for good as its own dead letter', async () => {
    const works = { good: () => 'good', bad: fails(422, 'cannot be done') };
    await using bus = await startBus({ functions: functionsOf(works) });
    await bus.apply(services('good', 'bad') + parallel([{ subscriber: to('good') }, { subscriber: to('bad') }]));
    await post(parallelAt(bus), {});
    await bus.settled();
    const letters = await bus.deadLetters(0);
    assert.deepEqual(
      letters.map(({ route, failure }) => [route, failure.status, failure.message]),
      [['parallel/default/sources/bad', 422, 'cannot be done']],
    );
  });
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
