import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { makeEvent } from '@millrace/event/event';

import { startBus } from '../../../../test/support/bus.ts';
import type { TestBus } from '../../../../test/support/bus.ts';
import { post } from '../../../../test/support/events.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';
import { openMemoryStore } from '../log/memory.ts';
import { flow, openFlowAdmin } from './flows.fixture.ts';
import { moveOf } from './seek.ts';
import type { SeekTo } from './seek.ts';

const topic = 'broker/default/default';

describe('where a route is to go on', () => {
  test('is found by position, by time, and at both ends', async () => {
    const store = openMemoryStore();
    const event = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, undefined);
    // Positions 1, 3, 5, 7, 9 arrive at 10, 20, 20, 30, 40; the others are of another topic.
    for (const arrivedAt of [10, 20, 20, 30, 40]) {
      for (const one of [topic, 'other']) await store.log.append([{ topic: one, event, arrivedAt, hops: 0 }]);
    }
    const standing = { topic, filter: () => true, position: 5, inFlight: 0 };
    const rows: [to: SeekTo, position: number, entries: number][] = [
      ['beginning', 0, 3],
      ['end', 9, 2],
      [{ position: 5 }, 4, 1],
      [{ position: 6 }, 5, 0],
      [{ position: 0 }, 0, 3],
      [{ position: 10 }, 9, 2],
      [{ time: 0 }, 0, 3],
      [{ time: 10 }, 0, 3],
      [{ time: 11 }, 2, 2],
      [{ time: 20 }, 2, 2],
      [{ time: 21 }, 6, 0],
      [{ time: 40 }, 8, 1],
      [{ time: 41 }, 9, 2],
    ];
    for (const [to, position, entries] of rows) {
      const move = await moveOf('trigger/default/a', standing, to, store);
      assert.deepEqual([move.to, move.entries, move.matched], [position, entries, entries], JSON.stringify(to));
    }
    await assert.rejects(
      moveOf('a', standing, { position: 11 }, store),
      /position 11 is beyond the end of .*, which is 9/,
    );
  });
});

const ids = (received: readonly { readonly event: { readonly id: string } | undefined }[]) =>
  received.map((it) => it.event!.id).toSorted();

async function sendNumbered(bus: TestBus, ...numbers: number[]): Promise<void> {
  for (const number of numbers)
    await post(`${bus.url}/default/default`, { id: `e${number}`, type: number % 2 === 0 ? 'even' : 'odd' });
}

const oneByOne = (url: string) =>
  flow
    .trigger('a', { subscriber: { uri: url } })
    .replace('"annotations":{}', '"annotations":{"millrace.dev/concurrency":"1"}');

describe('a Trigger that is moved', () => {
  test('goes back: what its filter wants is delivered again, others get nothing, and what is dead stays so', async () => {
    await using even = await startSubscriber(({ event }) => ({ status: event!.id === 'e4' ? 422 : 202 }));
    await using all = await startSubscriber();
    await using bus = await startBus();
    await using admin = await openFlowAdmin(bus);
    await bus.apply(
      flow.trigger('even', { subscriber: { uri: even.url }, filter: { attributes: { type: 'even' } } }) +
        flow.trigger('all', { subscriber: { uri: all.url } }),
    );
    await sendNumbered(bus, 1, 2, 3, 4, 5, 6);
    await bus.deadLetters(1);
    await bus.settled();
    const ask = { route: 'trigger/default/even', to: { position: 2 } };
    const looked = await admin.post('/api/triggers/seek', { ...ask, dryRun: true });
    assert.deepEqual(looked.body, {
      route: ask.route,
      topic,
      from: 6,
      to: 1,
      entries: 5,
      matched: 3,
      kept: 1,
      inFlight: 0,
    });
    assert.equal(even.received.length, 3);
    assert.equal((await admin.post('/api/triggers/seek', ask)).status, 200);
    await even.count(5);
    await bus.settled();
    assert.deepEqual(ids(even.received), ['e2', 'e2', 'e4', 'e6', 'e6']);
    assert.equal(all.received.length, 6);
    assert.deepEqual(
      bus.bus.store.deadLetters.list({ limit: 10 }).map((it) => it.position),
      [4],
    );
    // It goes on with what comes.
    await sendNumbered(bus, 8);
    await even.count(6);
  });

  test('goes forward: it finishes what is under way, and passes by what lies between', async () => {
    const held = Promise.withResolvers<void>();
    await using subscriber = await startSubscriber(async () => {
      await held.promise;
      return {};
    });
    await using bus = await startBus();
    await using admin = await openFlowAdmin(bus);
    await bus.apply(oneByOne(subscriber.url));
    await sendNumbered(bus, 1, 2, 3, 4);
    await subscriber.count(1);
    const ask = { route: 'trigger/default/a', to: { position: 4 } };
    const { body } = await admin.post('/api/triggers/seek', { ...ask, dryRun: true });
    assert.deepEqual(body, { route: ask.route, topic, from: 0, to: 3, entries: 3, matched: 3, kept: 0, inFlight: 1 });
    const moved = admin.post('/api/triggers/seek', ask);
    while (bus.bus.dispatcher.route(ask.route) !== undefined) await nextTurn();
    held.resolve();
    assert.equal((await moved).status, 200);
    await subscriber.count(2);
    await bus.settled();
    assert.deepEqual(ids(subscriber.received), ['e1', 'e4']);
  });

  test('goes back when what is under way is over, and delivers that again', async () => {
    const held = Promise.withResolvers<void>();
    await using subscriber = await startSubscriber(async (_, nth) => {
      if (nth === 2) await held.promise;
      return {};
    });
    await using bus = await startBus();
    await using admin = await openFlowAdmin(bus);
    await bus.apply(oneByOne(subscriber.url));
    await sendNumbered(bus, 1, 2);
    await subscriber.count(2);
    const moved = bus.bus.seeking.seek('trigger/default/a', 0, 'back');
    // A plan without the Trigger that comes meanwhile waits for the move, and then holds.
    const removed = bus.apply('');
    held.resolve();
    assert.equal(await moved, true);
    await removed;
    assert.equal((await admin.post('/api/triggers/seek', { route: 'trigger/default/a', to: 'end' })).status, 404);
    await bus.apply(oneByOne(subscriber.url));
    await subscriber.count(4);
    await bus.settled();
    assert.deepEqual(ids(subscriber.received), ['e1', 'e1', 'e2', 'e2']);
  });

  test('forward, is not put back when it has come farther by itself', async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(oneByOne(subscriber.url));
    await sendNumbered(bus, 1, 2, 3);
    await bus.settled();
    await bus.bus.seeking.seek('trigger/default/a', 1, 'forward');
    await sendNumbered(bus, 4);
    await bus.settled();
    assert.deepEqual(ids(subscriber.received), ['e1', 'e2', 'e3', 'e4']);
  });

  test('is refused for what is no Trigger, is not there, or lies beyond the end', async () => {
    await using bus = await startBus();
    await using admin = await openFlowAdmin(bus);
    await bus.apply(flow.trigger('a', { subscriber: { uri: 'http://127.0.0.1:1/' } }));
    for (const [ask, status, error] of [
      [{ route: 'sequence/default/a', to: 'end' }, 400, /^only Triggers can be moved/],
      [{ route: 'trigger/default/b', to: 'end' }, 404, /^there is no Trigger "trigger\/default\/b"/],
      [{ route: 'trigger/default/a', to: { position: 7 } }, 400, /^position 7 is beyond the end/],
      [{ route: 'trigger/default/a', to: 'middle' }, 400, /^to: expected "beginning"/],
      [{ route: 'trigger/default/a', to: { time: 'soon' } }, 400, /^to: expected "beginning"/],
    ] as const) {
      const refused = await admin.post('/api/triggers/seek', ask);
      assert.equal(refused.status, status);
      assert.match((refused.body as { error: string }).error, error);
    }
  });
});

test('a Trigger that is made again goes on where it stood; under another name it begins at the end', async () => {
  await using subscriber = await startSubscriber();
  await using bus = await startBus();
  const named = (name: string) => flow.trigger(name, { subscriber: { uri: subscriber.url + name } });
  await bus.apply(named('a'));
  await sendNumbered(bus, 1);
  await bus.settled();
  await bus.apply('');
  await sendNumbered(bus, 2);
  await bus.apply(named('a') + named('b'));
  await sendNumbered(bus, 3);
  await bus.settled();
  assert.deepEqual(subscriber.received.map((it) => `${it.path} ${it.event!.id}`).toSorted(), [
    '/a e1',
    '/a e2',
    '/a e3',
    '/b e3',
  ]);
});
