import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { create, triggerKey, TRIGGERS, update } from '../testing.ts';
import { openSqliteObjects } from './store.ts';
import { temporaryFolder } from './testing.ts';

const COUNT = 10_000;

test(`holds ${COUNT} objects of a kind`, { timeout: 120_000 }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed / 1024 / 1024;
  };
  const timed = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    t.diagnostic(`${what}: ${(performance.now() - from).toFixed(1)} ms`);
    return result;
  };
  const spec = (n: number) => ({
    broker: 'default',
    filter: { attributes: { type: `com.example.${n}`, source: '/orders' } },
    subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: `service-${n}` }, uri: `/${n}` },
    delivery: { retry: 5, backoffPolicy: 'exponential', backoffDelay: 'PT0.5S' },
  });
  const keys = Array.from({ length: COUNT }, (_, n) => triggerKey(`trigger-${n}`));

  using folder = temporaryFolder();
  const before = heap();
  let store = openSqliteObjects(folder.path);
  await timed(`${COUNT} writes of one turn`, () =>
    Promise.all(keys.map((key, n) => store.write([create(key, spec(n))]))),
  );
  await timed('100 writes, one after the other', async () => {
    for (let n = 0; n < 100; n += 1) await store.write([update(keys[n]!, String(n + 1), spec(n + 1))]);
  });
  const { items } = await timed('a first list', () => store.list(TRIGGERS));
  await timed('a list', () => store.list(TRIGGERS));
  t.diagnostic(`in memory: ${(heap() - before).toFixed(1)} MiB`);
  await store.close();
  store = await timed('opening it again', () => openSqliteObjects(folder.path));
  let told = 0;
  await timed('a watch from the beginning', () => store.watch(TRIGGERS, undefined, '0', { event: () => (told += 1) }));
  assert.equal(told, COUNT + 100);
  assert.deepEqual(store.list(TRIGGERS).items, items);
  await timed('forgetting all of it', () => store.compact(0));
  await store.close();
});
