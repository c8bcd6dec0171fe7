import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import { openMemoryStore } from '../log/memory.ts';
import type { Draft, Entry } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';
import type { Store } from '../log/store.ts';
import { RunRoutes } from './run-routes.ts';
import type { RouteOfRun } from './run-routes.ts';
import { totalsOf } from './run-totals.ts';
import { treeOf } from './run-tree.ts';

const ROUTE: RouteOfRun = { name: 'trigger/default/t', topic: 'broker/default/default', filter: {} };
const NOW = 10_000;

function draft(type: string, cause?: Draft['cause']): Draft {
  const event = makeEvent({ specversion: '1.0', id: type, source: '/s', type }, Buffer.from('data'));
  return { topic: ROUTE.topic, event, arrivedAt: 1_000, hops: 0, cause };
}

function settled(position: number, outcome: Settlement['outcome'], more: Partial<Settlement> = {}): Settlement {
  const failure = { destination: 'http://a/', message: 'refused' };
  const root = outcome === 'parked' ? { failure, root: failure } : {};
  const base = { route: ROUTE.name, position, attempt: 1, stage: 'subscriber', startedAt: 2_000, duration: 5 } as const;
  return { ...base, outcome, waited: false, ...root, ...more };
}

/** The store, with counts of what it was asked. */
function counted(store: Store) {
  const asked = { attempts: 0, replies: 0, waiting: 0, dead: 0 };
  const { history, deadLetters } = store;
  const counting: Store = {
    ...store,
    history: {
      ...history,
      attempts: (position) => ((asked.attempts += 1), history.attempts(position)),
      replies: (position) => ((asked.replies += 1), history.replies(position)),
      waitingFor: (position) => ((asked.waiting += 1), history.waitingFor(position)),
    },
    deadLetters: { ...deadLetters, list: (query) => ((asked.dead += 1), deadLetters.list(query)) },
  };
  return { store: counting, asked };
}

function draw(root: Entry, store: Store, { most = 2_000, routes = [ROUTE] } = {}) {
  const sources = { store, routes: new RunRoutes(routes, store.progress), usageOf: () => undefined };
  const tree = treeOf(root, sources, { most, detail: 'all' });
  return { ...tree, ...totalsOf(tree.entries, NOW) };
}

describe('the tree of a run', () => {
  test('asks for the attempts and the replies of each entry once, and for nothing else when all went well', async () => {
    const { store, asked } = counted(openMemoryStore());
    const [root] = await store.log.append([draft('root')]);
    const replies = Array.from({ length: 100 }, () => draft('reply', { position: root!.position, route: ROUTE.name }));
    const entries = await store.log.append(replies);
    await store.progress.settle([root!, ...entries].map((it) => settled(it.position, 'delivered')));
    const { status, root: drawn, truncated } = draw(root!, store);
    assert.deepEqual([status, drawn.deliveries[0]!.replies.length, truncated], ['succeeded', 100, false]);
    assert.deepEqual(asked, { attempts: 101, replies: 101, waiting: 0, dead: 0 });
  });

  test('ends where it is told to, and says so', async () => {
    const store = openMemoryStore();
    const [root] = await store.log.append([draft('root')]);
    const reply = draft('reply', { position: root!.position, route: ROUTE.name });
    await store.log.append(Array.from({ length: 10 }, () => reply));
    const whole = draw(root!, store, { most: 11 });
    assert.deepEqual([whole.entries, whole.truncated], [11, false]);
    const cut = draw(root!, store, { most: 5 });
    assert.deepEqual([cut.entries, cut.root.deliveries[0]!.replies.length, cut.truncated], [5, 4, true]);
  });

  test('leaves out who did not want an entry where that would be too many', async () => {
    const store = openMemoryStore();
    const [root] = await store.log.append([draft('root')]);
    await store.log.append([draft('reply', { position: root!.position, route: ROUTE.name })]);
    const routes = Array.from({ length: 10_000 }, (_, index) => ({
      ...ROUTE,
      name: `trigger/default/${index}`,
      filter: { filters: [{ exact: { type: 'other' } }] },
    }));
    const { deliveries } = draw(root!, store, { routes: [ROUTE, ...routes] }).root;
    assert.equal(deliveries.length, 10_001);
    assert.equal(deliveries[0]!.replies[0]!.deliveries.length, 1);
  });

  test('keeps what came by routes that are no longer declared', async () => {
    const store = openMemoryStore();
    const [root] = await store.log.append([draft('root')]);
    await store.log.append([draft('reply', { position: root!.position, route: 'trigger/default/gone' })]);
    await store.progress.settle([settled(root!.position, 'delivered', { route: 'trigger/default/removed' })]);
    const { deliveries } = draw(root!, store, { routes: [] }).root;
    assert.deepEqual(
      deliveries.map((it) => [it.route, it.state, it.reason, it.replies.length]),
      [
        ['trigger/default/removed', 'delivered', 'not declared for this topic now', 0],
        ['trigger/default/gone', 'delivered', 'not declared for this topic now', 1],
      ],
    );
  });

  test('is pending for a route that has still to come by, and not for one that was past it', async () => {
    const store = openMemoryStore();
    const [root] = await store.log.append([draft('root')]);
    await store.progress.save([{ route: ROUTE.name, position: 0 }]);
    assert.equal(draw(root!, store).status, 'running');
    await store.progress.save([{ route: ROUTE.name, position: root!.position }]);
    assert.deepEqual([draw(root!, store).status, draw(root!, store).deliveries], ['succeeded', 0]);
  });

  const next = { dueAt: NOW + 1, stage: 'subscriber', tries: 1 } as const;
  for (const [what, settlements, status] of [
    ['delivered', [settled(1, 'delivered')], 'succeeded'],
    ['called off', [settled(1, 'cancelled')], 'succeeded'],
    ['a dead letter', [settled(1, 'parked')], 'failed'],
    ['with the dead letter sink', [settled(1, 'deadLettered')], 'failed'],
    ['waiting for a retry', [settled(1, 'retrying', { next })], 'waiting'],
    ['due', [settled(1, 'retrying', { next: { ...next, dueAt: NOW } })], 'running'],
    ['not begun', [], 'running'],
  ] as const) {
    test(`with an entry that is ${what} is ${status}`, async () => {
      const store = openMemoryStore();
      const [root] = await store.log.append([draft('root')]);
      await store.progress.settle(settlements);
      assert.equal(draw(root!, store).status, status);
    });
  }

  test('is no failure any more when the dead letter was redriven', async () => {
    const store = openMemoryStore();
    const [root] = await store.log.append([draft('root')]);
    await store.progress.settle([settled(1, 'parked')]);
    await store.deadLetters.redrive([{ route: ROUTE.name, position: 1 }], NOW);
    const drawn = draw(root!, store);
    assert.deepEqual([drawn.status, drawn.root.deliveries[0]!.state], ['running', 'waiting']);
  });

  test('took from the arrival to the end of the last attempt, and goes on to now while it is open', async () => {
    const store = openMemoryStore();
    const [root] = await store.log.append([draft('root')]);
    assert.equal(draw(root!, store).duration, NOW - 1_000);
    await store.progress.settle([settled(1, 'delivered')]);
    assert.equal(draw(root!, store).duration, 1_005);
  });
});
