import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { declare, functionsOf, refTo, service } from '../support/flows.ts';

// What is open for long is held in the log, and not in memory.

const MIB = 1024 * 1024;
const EVENT_BYTES = 256 * 1024;
/** Tails of topics that were read of late, caches of the database, and what has no place of its own. */
const REST_BYTES = 40 * MIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are held, outside and inside of V8. Two turns: what was looked at in this one is held until it is over. */
async function heldBytes(): Promise<number> {
  for (let count = 0; count < 2; count += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    collectGarbage();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function entered(bus: TestBus, topic: string, count: number): Promise<void> {
  const after = new AbortController().signal;
  for (let seen = 0, position = 0; seen < count;) {
    const entries = await bus.bus.store.log.read(topic, position, 16, after);
    seen += entries.length;
    position = entries.at(-1)!.position;
  }
}

describe('while they are open', () => {
  test('joins hold neither the events that came nor the answers of branches', async () => {
    const OPEN = 150;
    const answer = 'x'.repeat(EVENT_BYTES);
    await using bus = await startBus({
      functions: functionsOf({ a: () => answer, b: () => answer, later: () => 1 }),
      maxEventBytes: MIB,
    });
    const annotations = { 'millrace.dev/join': 'all', 'millrace.dev/concurrency': '1000' };
    const branches = ['a', 'b', 'later'].map((it) => ({ subscriber: refTo('Service', it) }));
    const parallel = declare('Parallel', { name: 'p', annotations }, { branches });
    // What is not declared yet is waited for, and nothing is under way there.
    await bus.apply(service('a') + service('b') + parallel);
    const before = await heldBytes();
    const data = JSON.stringify('y'.repeat(EVENT_BYTES));
    for (let sent = 0; sent < OPEN; sent += 1)
      assert.equal((await post(`${bus.url}/flows/parallel/default/p`, { data })).status, 202);
    await entered(bus, 'replies/parallel/default/p', 2 * OPEN);
    assert.equal(bus.bus.dispatcher.route('parallel/default/p')?.inFlight, OPEN);
    const held = (await heldBytes()) - before;
    console.error('HELD', held / MIB);
    assert.ok(held < REST_BYTES, `${held / MIB} MiB are held, of ${(3 * OPEN * EVENT_BYTES) / MIB} MiB that came`);
    await bus.apply(service('a') + service('b') + service('later') + parallel);
    await bus.settled();
    const results = bus.entries().filter((it) => it.topic === 'results/parallel/default/p');
    assert.equal(results.length, OPEN);
    assert.ok(results.every((it) => it.event.data!.byteLength > 2 * EVENT_BYTES));
  });
});
