import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { DeadLetterView, EventDetail } from '@millrace/bus/admin/views';

import { post } from '../support/events.ts';
import { broker, trigger } from '../support/manifests.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Subscriber } from '../support/subscriber.ts';

const ENDS = ['stop', 'kill'] as const;

describe('a restart', { timeout: 120_000 }, () => {
  for (const end of ENDS) {
    test(`after ${end}: a retry comes when it is due and not before, and attempts go on counting`, async () => {
      using folder = testFolder();
      await using subscriber = await startSubscriber(() => ({ status: 503 }));
      const delivery = { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT4S' };
      const manifests = [folder.write('flow.yaml', trigger('later', subscriber.url, { delivery }))];
      const data = folder.at('data');
      await using first = await startMillrace({ data, manifests });
      await post(first.broker, { id: 'e' });
      const { next } = await deliveryOf(first, 'e', ({ state }) => state === 'waiting');
      const dueAt = Date.parse(next!.dueAt);
      await first[end]();
      assert.equal(subscriber.received.length, 1);

      subscriber.answer(() => ({}));
      await using second = await startMillrace({ data, manifests });
      const waiting = await deliveryOf(second, 'e', () => true);
      assert.deepEqual(waiting.next, { attempt: 2, dueAt: next!.dueAt, stage: 'subscriber' });
      await subscriber.count(2);
      assert.ok(Date.now() >= dueAt, `it came ${dueAt - Date.now()} ms too early`);
      const { attempts } = await deliveryOf(second, 'e', ({ state }) => state === 'delivered');
      assert.deepEqual(
        attempts.map(({ attempt, outcome, status }) => [attempt, outcome, status]),
        [
          [1, 'retrying', 503],
          [2, 'delivered', 202],
        ],
      );
    });

    test(`after ${end}: what became due meanwhile is delivered, and dead letters are still there`, async () => {
      using folder = testFolder();
      await using flaky = await startSubscriber(() => ({ status: 503 }));
      await using never = await startSubscriber(() => ({ status: 422, body: 'never' }));
      const delivery = { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT0.3S' };
      const text = trigger('flaky', flaky.url, { delivery }) + trigger('never', never.url);
      const manifests = [folder.write('flow.yaml', text)];
      const data = folder.at('data');
      await using first = await startMillrace({ data, manifests });
      await post(first.broker, { id: 'e', data: 'kept' });
      const [before] = await deadLetters(first, 1);
      const { next } = await deliveryOf(first, 'e', ({ route, state }) => /flaky/.test(route) && state === 'waiting');
      await first[end]();
      const tried = flaky.received.length;
      await eventually(() => (Date.now() > Date.parse(next!.dueAt) ? true : undefined));

      flaky.answer(() => ({}));
      await using second = await startMillrace({ data, manifests });
      await flaky.count(tried + 1);
      await second.settled();
      const [after] = await deadLetters(second, 1);
      assert.deepEqual(after, before);
      assert.equal(after!.failure.body, 'never');
      assert.equal(never.received.length, 1, 'a dead letter is not tried again by a restart');
    });
  }

  test('does not lose a redrive that was answered right before a kill', async () => {
    using folder = testFolder();
    await using subscriber = await startSubscriber(() => ({ status: 422 }));
    const manifests = [folder.write('flow.yaml', trigger('only', subscriber.url))];
    const data = folder.at('data');
    await using first = await startMillrace({ data, manifests });
    for (let nth = 0; nth < 20; nth += 1) await post(first.broker, { id: `e${nth}`, data: String(nth) });
    await deadLetters(first, 20);
    // From now on it hangs, so that nothing is delivered before the kill.
    subscriber.answer(() => ({ hang: true }));
    assert.deepEqual(await first.ask('/api/dead-letters/redrive', {}), { count: 20 });
    await first.kill();
    subscriber.answer(() => ({}));
    const before = subscriber.received.length;
    await using second = await startMillrace({ data, manifests });
    await subscriber.count(before + 20);
    await second.settled();
    assert.deepEqual(await second.ask('/api/dead-letters'), []);
    const again = subscriber.received.slice(before).map(({ event }) => event!.id);
    assert.equal(new Set(again).size, 20);
    const { attempts } = await deliveryOf(second, 'e7', ({ state }) => state === 'delivered');
    assert.equal(attempts.at(-1)!.attempt, 2);
  });

  for (const end of ENDS) {
    test(`after ${end}: a route with a backlog goes on where it was`, async (t) => {
      const COUNT = 2_000;
      const CONCURRENCY = 10;
      using folder = testFolder();
      await using slow = await startSlowSubscriber();
      const options = { annotations: { 'millrace.dev/concurrency': String(CONCURRENCY) } };
      const manifests = [folder.write('flow.yaml', broker() + trigger('slow', slow.url, options))];
      const data = folder.at('data');
      await using first = await startMillrace({ data, manifests });
      await sendBatches(first, COUNT);
      await slow.count(COUNT / 4);
      const ended = await first[end]();
      if (end === 'stop') assert.equal(ended.code, 0, ended.stderr);
      const beforeTheEnd = slow.received.length;
      assert.ok(beforeTheEnd < COUNT, 'there is a backlog');

      await using second = await startMillrace({ data, manifests });
      await second.settled();
      const ids = slow.received.map(({ event }) => event!.id);
      const duplicates = ids.length - new Set(ids).size;
      t.diagnostic(`${beforeTheEnd} of ${COUNT} before the end; ${duplicates} duplicates`);
      assert.equal(new Set(ids).size, COUNT);
      // What was under way, and what had ended well but not been written together yet.
      assert.ok(duplicates <= (end === 'stop' ? 0 : 10 * CONCURRENCY), `${duplicates} duplicates`);
      assert.equal((await second.stop()).code, 0);

      const { length } = slow.received;
      await using third = await startMillrace({ data, manifests });
      await third.settled();
      assert.equal(slow.received.length, length, 'nothing is left to be repeated');
    });
  }
});

/** Answers each request a few milliseconds later. */
function startSlowSubscriber(): Promise<Subscriber> {
  return startSubscriber(async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    return {};
  });
}

async function sendBatches(millrace: Millrace, count: number): Promise<void> {
  const AT_ONCE = 250;
  for (let from = 0; from < count; from += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, (_, nth) => ({
      specversion: '1.0',
      id: `e${from + nth}`,
      source: '/backlog',
      type: 'backlog',
    }));
    const response = await fetch(millrace.broker, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(batch),
    });
    assert.equal(response.status, 202, await response.text());
  }
}

type Delivery = EventDetail['deliveries'][number];

/** The first delivery of an event that is as wanted, once there is one. */
function deliveryOf(millrace: Millrace, id: string, isWanted: (delivery: Delivery) => boolean): Promise<Delivery> {
  return eventually(async () => (await millrace.ask<EventDetail>(`/api/events/${id}`)).deliveries.find(isWanted));
}

function deadLetters(millrace: Millrace, count: number): Promise<readonly DeadLetterView[]> {
  return eventually(async () => {
    const letters = await millrace.ask<readonly DeadLetterView[]>('/api/dead-letters');
    return letters.length >= count ? letters : undefined;
  });
}
