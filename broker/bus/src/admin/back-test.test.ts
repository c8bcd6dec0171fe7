import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import * as fc from 'fast-check';

import { events, specs } from '../filter/arbitraries.ts';
import { compileFilter } from '../filter/filter.ts';
import { openMemoryStore } from '../log/memory.ts';
import { failed } from '../log/store.contract.ts';
import { startBus } from '../../../../test/support/bus.ts';
import { post } from '../../../../test/support/events.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';
import { backTest } from './back-test.ts';
import type { BackTest } from './back-test.ts';
import { flow, openFlowAdmin } from './flows.fixture.ts';

const topic = 'broker/default/default';

describe('a back-test', () => {
  test('counts what the filters say of each event, and what differs', async () => {
    await fc.assert(
      fc.asyncProperty(
        specs,
        specs,
        fc.array(events, { maxLength: 30 }),
        fc.nat(40),
        async (tested, other, all, limit) => {
          const { log, history } = openMemoryStore();
          // Among those of others, one at a time.
          for (const event of all) {
            await log.append([{ topic, event, arrivedAt: 1, hops: 0 }]);
            await log.append([{ topic: 'other', event, arrivedAt: 1, hops: 0 }]);
          }
          const [filter, inForce] = [compileFilter(tested), compileFilter(other)];
          const result = await backTest(history, {
            topic,
            filter,
            inForce: { route: 'a', filter: inForce },
            limit: limit + 1,
          });
          const looked = all.slice(-limit - 1);
          const count = (wants: (event: (typeof all)[0]) => boolean) => looked.filter((event) => wants(event)).length;
          assert.equal(result.events, looked.length);
          assert.equal(result.isCut, looked.length < all.length);
          assert.equal(result.matched, count(filter));
          assert.equal(result.difference!.matched, count(inForce));
          assert.equal(
            result.difference!.gained,
            count((it) => filter(it) && !inForce(it)),
          );
          assert.equal(
            result.difference!.lost,
            count((it) => !filter(it) && inForce(it)),
          );
          for (const { position } of result.samples) assert.ok(filter(log.get(position)!.event));
          for (const { position } of result.difference!.lostSamples) assert.ok(!filter(log.get(position)!.event));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('goes back over more than a page to the time that is asked for, and says what retention has taken', async () => {
    const { log, history, progress, trim } = openMemoryStore();
    const event = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, undefined);
    const count = 1_700;
    await log.append(Array.from({ length: count }, (_, index) => ({ topic, event, arrivedAt: index, hops: 0 })));
    const test = (since: number) => backTest(history, { topic, filter: () => true, since, limit: 10_000 });
    assert.deepEqual([(await test(0)).events, (await test(100)).events], [count, count - 100]);
    assert.equal((await test(0)).completeSince, undefined);
    // The oldest stays, as it is a dead letter: that does not make what follows complete.
    await progress.settle([failed({ position: 1 })]);
    await trim({ before: 200, maxBytes: 2 ** 40, passed: new Map([[topic, count]]) });
    assert.deepEqual(
      [(await test(0)).events, (await test(0)).completeSince],
      [count - 199, '1970-01-01T00:00:00.200Z'],
    );
    assert.equal((await test(200)).completeSince, undefined);
  });
});

test('over a bus: an endpoint tests what is not applied against what is', async () => {
  await using subscriber = await startSubscriber();
  await using bus = await startBus();
  await using admin = await openFlowAdmin(bus);
  await bus.apply(
    flow.trigger('urgent', { subscriber: { uri: subscriber.url }, filter: { attributes: { type: 'a' } } }),
  );
  for (const type of ['a', 'b', 'b', 'c'])
    await post(`${bus.url}/default/default`, { id: `of-${type}`, type, source: '/s', data: '{}' });
  const ask = {
    namespace: 'default',
    broker: 'default',
    filters: [{ exact: { type: 'b' } }],
    route: 'trigger/default/urgent',
  };
  const { status, body } = await admin.post('/api/triggers/test', ask);
  assert.equal(status, 200);
  const { events: looked, matched, samples, difference, isCut, completeSince } = body as BackTest;
  assert.deepEqual([looked, matched, isCut, completeSince], [4, 2, false, undefined]);
  assert.deepEqual(samples[0], { position: 3, type: 'b', source: '/s', id: 'of-b' });
  assert.deepEqual([difference!.matched, difference!.gained, difference!.lost], [1, 2, 1]);

  const since = new Date(Date.now() + 60_000).toISOString();
  assert.equal(((await admin.post('/api/triggers/test', { ...ask, since })).body as BackTest).events, 0);
  const other = (await admin.post('/api/triggers/test', { ...ask, broker: 'other' })).body as BackTest;
  assert.deepEqual([other.events, other.difference], [0, undefined]);

  for (const [wrong, error] of [
    [{ ...ask, filters: [{ exact: {}, prefix: {} }] }, /^filters\[0\]: expected one dialect, got exact and prefix/],
    [{ ...ask, since: 'yesterday' }, /^since: expected a time in RFC 3339, got "yesterday"/],
    [{ ...ask, limit: 0 }, /^limit: expected a whole number/],
    [{ filters: [] }, /^expected the namespace and the broker/],
  ] as const) {
    const refused = await admin.post('/api/triggers/test', wrong);
    assert.equal(refused.status, 400);
    assert.match((refused.body as { error: string }).error, error);
  }
});
