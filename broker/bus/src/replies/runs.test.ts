import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import { startClock } from '../../../../test/support/clock.ts';
import type { Attempt } from '../log/history.ts';
import type { Entry } from '../log/log.ts';
import type { Outcome, Settlement } from '../log/progress.ts';
import { Runs } from './runs.ts';

// What the log tells comes in another order than it happened where deliveries overlap; here, in every order that matters.

const WAIT_MS = 1_000;
const never = new AbortController().signal;

/** The entry at a position; the topic says which routes take it. */
function entry(position: number, topic: string, cause?: readonly [position: number, route: string]): Entry {
  const event = makeEvent({ specversion: '1.0', id: String(position), source: '/s', type: 't' }, undefined);
  const from = cause === undefined ? undefined : { position: cause[0], route: cause[1] };
  return { topic, event, position, arrivedAt: 0, hops: 0, cause: from };
}

const failure = { destination: 'http://there/', message: 'no luck' };

function settlement(position: number, route: string, outcome: Outcome = 'delivered'): Settlement & Attempt {
  const why = outcome === 'delivered' ? undefined : failure;
  const made = {
    attempt: 1,
    stage: 'subscriber',
    startedAt: 0,
    duration: 0,
    waited: false,
    status: undefined,
  } as const;
  return { ...made, position, route, outcome, failure: why };
}

/** Runs on routes by topic, over a history that the test fills. */
function start(routes: Readonly<Record<string, readonly string[]>>) {
  const attempts: (Settlement & Attempt)[] = [];
  const replies: Entry[] = [];
  const clock = startClock();
  const runs = new Runs({
    history: {
      find: () => undefined,
      attempts: (position) => attempts.filter((it) => it.position === position),
      replies: (position) => replies.filter((it) => it.cause?.position === position),
      waitingFor: () => [],
    },
    routes: { of: ({ topic }) => routes[topic] ?? [], forwards: () => false },
    environment: clock,
  });
  return { runs, attempts, replies, clock };
}

describe('a run', () => {
  const root = entry(1, 'a');
  const routes = { a: ['one'], b: ['two'] };

  test('is over with what came of a reply before it was told how that was delivered', async () => {
    const { runs } = start(routes);
    const following = runs.follow(root, never, WAIT_MS);
    runs.entered([entry(2, 'b', [1, 'one'])]);
    runs.entered([entry(3, 'c', [2, 'two'])]);
    runs.settled(settlement(2, 'two'));
    runs.settled(settlement(1, 'one'));
    const end = await following;
    assert.equal(end.outcome === 'replied' && end.entry.position, 3);
    assert.equal(runs.size, 0);
  });

  test('does not take what came of a dead letter for a reply, told in the same order', async () => {
    const { runs, attempts } = start(routes);
    const following = runs.follow(root, never, WAIT_MS);
    attempts.push(settlement(1, 'one', 'retrying'), settlement(1, 'one', 'deadLettered'));
    runs.entered([entry(2, 'b', [1, 'one'])]);
    runs.entered([entry(3, 'c', [2, 'two'])]);
    runs.settled(settlement(2, 'two'));
    runs.settled(settlement(1, 'one', 'deadLettered'));
    assert.deepEqual(await following, { outcome: 'failed', reason: 'one: no luck' });
    assert.equal(runs.size, 0);
  });

  test('takes once what the history tells before the log does', async () => {
    const { runs, attempts, replies } = start({ a: ['one', 'other'], b: ['two'] });
    const reply = entry(2, 'b', [1, 'one']);
    attempts.push(settlement(1, 'one'));
    replies.push(reply);
    const following = runs.follow(root, never, WAIT_MS);
    runs.settled(settlement(2, 'two'));
    runs.entered([reply]);
    runs.settled(settlement(1, 'one'));
    runs.settled(settlement(1, 'other'));
    assert.deepEqual(await following, { outcome: 'silent' });
  });

  test('waits to be told of a reply that the history shows without its delivery', async () => {
    const { runs, replies } = start({ a: ['one'] });
    replies.push(entry(2, 'c', [1, 'one']));
    const following = runs.follow(root, never, WAIT_MS);
    runs.entered(replies);
    assert.equal(runs.size, 2);
    runs.settled(settlement(1, 'one'));
    const end = await following;
    assert.equal(end.outcome === 'replied' && end.entry.position, 2);
  });

  test('ends with the earliest reply that the history has', async () => {
    const { runs, attempts, replies } = start({ a: ['one', 'other'], b: ['two'] });
    attempts.push(settlement(1, 'one'), settlement(1, 'other'), settlement(2, 'two'));
    replies.push(entry(2, 'b', [1, 'one']), entry(4, 'c', [1, 'other']), entry(3, 'c', [2, 'two']));
    const end = await runs.follow(root, never, 0);
    assert.equal(end.outcome === 'replied' && end.entry.position, 3);
  });

  test('is open when the time is over, and is not followed any longer', async () => {
    const { runs, clock } = start(routes);
    const following = runs.follow(root, never, WAIT_MS);
    await clock.expecting(clock.now() + WAIT_MS);
    clock.advance(WAIT_MS);
    assert.deepEqual(await following, { outcome: 'open' });
    assert.equal(runs.size, 0);
    runs.entered([entry(2, 'b', [1, 'one'])]);
    assert.equal(runs.size, 0);
  });

  test('may be followed by several', async () => {
    const { runs } = start(routes);
    const gone = new AbortController();
    const following = [runs.follow(root, never, WAIT_MS), runs.follow(root, gone.signal, WAIT_MS)];
    gone.abort();
    assert.deepEqual(await following[1], { outcome: 'open' });
    runs.settled(settlement(1, 'one'));
    assert.deepEqual(await following[0], { outcome: 'silent' });
  });

  test('that is long leaves others their turn while it is read, and hears meanwhile', async () => {
    const { runs, attempts, replies } = start({ a: ['one'], b: [] });
    for (let position = 2; position <= 300; position += 1) {
      replies.push(entry(position, 'replies/x', [position - 1, 'one']));
      attempts.push(settlement(position - 1, 'one'));
    }
    const open = entry(301, 'a', [300, 'one']);
    replies.push(open);
    attempts.push(settlement(300, 'one'));
    const following = runs.follow(root, never, WAIT_MS);
    while (runs.size === 0) await new Promise(setImmediate);
    runs.entered([entry(302, 'c', [301, 'one'])]);
    runs.settled(settlement(301, 'one'));
    const end = await following;
    assert.equal(end.outcome === 'replied' && end.entry.position, 302);
  });
});
