import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import type { Entry } from '../log/log.ts';
import { openOrderedQueue, openUnorderedQueue } from './queue.ts';
import type { Queue } from './queue.ts';

function entry(position: number, partitionkey?: string): Entry {
  const event = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't', partitionkey }, undefined);
  return { position, topic: 't', event, arrivedAt: 0, hops: 0 };
}

function filled(queue: Queue, ...entries: readonly Entry[]): Queue {
  entries.forEach((one) => queue.push(one));
  return queue;
}

function takeAll(queue: Queue): number[] {
  const taken: number[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) taken.push(one.position);
  return taken;
}

describe('an unordered queue', () => {
  test('gives what came first, whatever its key and whatever is unfinished', () => {
    const queue = filled(openUnorderedQueue(), entry(1, 'a'), entry(2, 'a'), entry(3));
    queue.block(entry(0, 'a'));
    assert.equal(queue.size, 3);
    assert.deepEqual(takeAll(queue), [1, 2, 3]);
    assert.equal(queue.size, 0);
  });
});

describe('an ordered queue', () => {
  test('gives the first of each key, and the next when that is finished', () => {
    const queue = filled(openOrderedQueue(), entry(1, 'a'), entry(2, 'b'), entry(3, 'a'), entry(4, 'b'));
    assert.deepEqual(takeAll(queue), [1, 2]);
    assert.equal(queue.size, 2);
    queue.release(entry(2, 'b'));
    assert.deepEqual(takeAll(queue), [4]);
    queue.release(entry(1, 'a'));
    assert.deepEqual(takeAll(queue), [3]);
    assert.equal(queue.size, 0);
  });

  test('takes what has no key, and what has an empty one, for one sequence', () => {
    const queue = filled(openOrderedQueue(), entry(1), entry(2), entry(3, ''));
    assert.deepEqual(takeAll(queue), [1]);
    queue.release(entry(1));
    assert.deepEqual(takeAll(queue), [2]);
  });

  test('holds up what comes after something unfinished that it never held', () => {
    const queue = openOrderedQueue();
    queue.block(entry(1, 'a'));
    queue.block(entry(2, 'a'));
    filled(queue, entry(3, 'a'), entry(4, 'b'));
    assert.deepEqual(takeAll(queue), [4]);
    queue.release(entry(1, 'a'));
    assert.deepEqual(takeAll(queue), []);
    queue.release(entry(2, 'a'));
    assert.deepEqual(takeAll(queue), [3]);
  });

  test('gives every key its turn', () => {
    const queue = filled(openOrderedQueue(), ...[1, 2, 3].map((it) => entry(it, 'a')), entry(4, 'b'), entry(5, 'c'));
    const order: number[] = [];
    for (let one = queue.take(); one !== undefined; one = queue.take()) {
      order.push(one.position);
      queue.release(one);
    }
    assert.deepEqual(
      order.filter((it) => it <= 3),
      [1, 2, 3],
    );
    assert.ok(order.indexOf(4) < order.indexOf(3) && order.indexOf(5) < order.indexOf(3), order.join(' '));
  });
});
