import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { startClock } from '../support/clock.ts';
import type { Clock } from '../support/clock.ts';
import { post } from '../support/events.ts';
import { trigger } from '../support/manifests.ts';
import { startRawServer } from '../support/raw.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Respond } from '../support/subscriber.ts';

// knative.md §3.3, §3.4 and §11.1 "Redelivery", with the waits and the retried outcomes of DESIGN §3.

const AT_ONCE = { backoffPolicy: 'linear', backoffDelay: 'PT0S' };

describe('an attempt is made again', () => {
  for (const status of [404, 408, 409, 429, 500, 501, 502, 503, 504, 529, 599]) {
    test(`after ${status}`, async () => {
      assert.equal(await attemptsAfter({ status }), 3);
    });
  }

  test('after an end of the connection without an answer', async () => {
    await using server = await startRawServer((socket) => socket.destroy());
    await using bus = await startBus();
    await bus.apply(trigger('fails', server.url, { delivery: { retry: 2, ...AT_ONCE } }));
    await post(`${bus.url}/default/default`, {});
    const [letter] = await bus.deadLetters(1);
    assert.equal(letter!.attempts, 3);
    assert.equal(server.requests, 3);
  });

  test('after its time is over', async () => {
    const clock = startClock();
    await using subscriber = await startSubscriber((_received, nth) => ({ hang: nth === 1 }));
    await using bus = await startBus({ environment: clock });
    await bus.apply(trigger('hangs', subscriber.url, { delivery: { retry: 1, timeout: 'PT7S', ...AT_ONCE } }));
    await post(`${bus.url}/default/default`, {});
    await subscriber.count(1);
    clock.advance(7_000);
    await subscriber.count(2);
    await bus.settled();
    assert.equal((await bus.deadLetters(0)).length, 0);
  });
});

describe('an attempt is not made again', () => {
  for (const status of [
    300, 301, 302, 303, 304, 307, 308, 399, 400, 401, 402, 403, 405, 406, 407, 410, 411, 412, 413, 414, 415, 416, 417,
    418, 421, 422, 423, 424, 425, 426, 428, 431, 451, 499,
  ]) {
    test(`after ${status}`, async () => {
      assert.equal(await attemptsAfter({ status, headers: { location: 'http://127.0.0.1:1/' } }), 1);
    });
  }

  test('at where a redirect leads', async () => {
    await using elsewhere = await startSubscriber();
    for (const status of [301, 302, 303, 307, 308]) {
      assert.equal(await attemptsAfter({ status, headers: { location: elsewhere.url } }), 1);
    }
    assert.equal(elsewhere.received.length, 0);
  });
});

/** How many attempts are made of two retries, when each is answered like this. */
async function attemptsAfter(answer: Respond): Promise<number> {
  await using subscriber = await startSubscriber(() => answer);
  await using bus = await startBus();
  await bus.apply(trigger('fails', subscriber.url, { delivery: { retry: 2, ...AT_ONCE } }));
  await post(`${bus.url}/default/default`, {});
  const [letter] = await bus.deadLetters(1);
  assert.equal(letter!.attempts, subscriber.received.length);
  assert.equal(letter!.failure.status, answer.status);
  return subscriber.received.length;
}

describe('redelivery', () => {
  test('gets an event past a subscriber that drops the first five', async () => {
    await using subscriber = await startSubscriber((_received, nth) => ({ status: nth <= 5 ? 409 : 202 }));
    await using bus = await startBus();
    await bus.apply(trigger('drops', subscriber.url, { delivery: { retry: 5, ...AT_ONCE } }));
    await post(`${bus.url}/default/default`, { id: 'e1', data: '"x"' });
    await subscriber.count(6);
    await bus.settled();
    assert.equal(subscriber.received.length, 6);
    assert.ok(subscriber.received.every(({ event, body }) => event!.id === 'e1' && body.toString() === '"x"'));
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('gets all events past a subscriber that takes only each request of a Fibonacci number', async () => {
    const fibonacci = new Set([1, 2]);
    for (let [a, b] = [1, 2]; b < 100_000; [a, b] = [b, a + b]) fibonacci.add(b);
    const taken: string[] = [];
    await using subscriber = await startSubscriber(({ event }, nth) => {
      if (!fibonacci.has(nth)) return { status: 409 };
      taken.push(event!.id);
      return {};
    });
    await using bus = await startBus();
    await bus.apply(trigger('drops', subscriber.url, { delivery: { retry: 1_000, ...AT_ONCE } }));
    const ids = Array.from({ length: 10 }, (_, n) => String(n));
    for (const id of ids) await post(`${bus.url}/default/default`, { id });
    await bus.settled();
    assert.deepEqual(taken.toSorted(), ids);
    assert.equal(subscriber.received.length, 89);
  });

  test('is none without retries', async () => {
    await using subscriber = await startSubscriber(() => ({ status: 503 }));
    await using bus = await startBus();
    await bus.apply(trigger('fails', subscriber.url, { delivery: {} }));
    await post(`${bus.url}/default/default`, {});
    const [letter] = await bus.deadLetters(1);
    assert.equal(letter!.attempts, 1);
  });

  test('is ten times after 0.2 s, doubled each time, where neither broker nor trigger says otherwise', async () => {
    const waits = await waitsOf(undefined, { status: 503 });
    assert.deepEqual(
      waits,
      Array.from({ length: 10 }, (_, n) => 200 * 2 ** n),
    );
  });
});

describe('the wait before a retry', () => {
  const linear = { backoffPolicy: 'linear', backoffDelay: 'PT1S' };
  const exponential = { backoffPolicy: 'exponential', backoffDelay: 'PT1S' };

  test('grows by the delay: linear', async () => {
    assert.deepEqual(await waitsOf({ retry: 5, ...linear }, { status: 503 }), [1_000, 2_000, 3_000, 4_000, 5_000]);
  });
  test('doubles: exponential', async () => {
    assert.deepEqual(
      await waitsOf({ retry: 5, ...exponential }, { status: 503 }),
      [1_000, 2_000, 4_000, 8_000, 16_000],
    );
  });
  test('takes fractions of seconds', async () => {
    assert.deepEqual(await waitsOf({ retry: 2, ...linear, backoffDelay: 'PT0.25S' }, { status: 503 }), [250, 500]);
  });
  for (const [policy, waits] of [
    [linear, [1_000, 2_000, 2_500, 2_500]],
    [exponential, [1_000, 2_000, 2_500, 2_500]],
  ] as const) {
    test(`is never longer than backoffMax: ${policy.backoffPolicy}`, async () => {
      assert.deepEqual(await waitsOf({ retry: 4, ...policy, backoffMax: 'PT2.5S' }, { status: 503 }), waits);
    });
  }

  test('is spread by up to a tenth', async () => {
    const almostOne = 1 - Number.EPSILON;
    assert.deepEqual(await waitsOf({ retry: 2, ...linear }, { status: 503 }, () => almostOne), [1_100, 2_200]);
    assert.deepEqual(await waitsOf({ retry: 2, ...linear }, { status: 503 }, () => 0.5), [1_050, 2_100]);
  });

  for (const status of [429, 503, 529]) {
    test(`is at least what Retry-After of a ${status} asks for`, async () => {
      const headers = { 'retry-after': '7' };
      assert.deepEqual(await waitsOf({ retry: 3, ...exponential }, { status, headers }), [7_000, 7_000, 7_000]);
      assert.deepEqual(await waitsOf({ retry: 4, ...exponential }, { status, headers }), [7_000, 7_000, 7_000, 8_000]);
    });
  }
  for (const status of [500, 502, 404, 408]) {
    test(`does not care for Retry-After of a ${status}`, async () => {
      assert.deepEqual(await waitsOf({ retry: 1, ...linear }, { status, headers: { 'retry-after': '7' } }), [1_000]);
    });
  }
  test('honours Retry-After no longer than retryAfterMax', async () => {
    const headers = { 'retry-after': '3600' };
    assert.deepEqual(await waitsOf({ retry: 1, ...linear, retryAfterMax: 'PT5S' }, { status: 429, headers }), [5_000]);
    assert.deepEqual(await waitsOf({ retry: 1, ...linear, retryAfterMax: 'PT0S' }, { status: 429, headers }), [1_000]);
  });
  test('honours Retry-After beyond backoffMax', async () => {
    const headers = { 'retry-after': '60' };
    assert.deepEqual(await waitsOf({ retry: 1, ...linear, backoffMax: 'PT2S' }, { status: 429, headers }), [60_000]);
  });
  for (const unreadable of ['soon', '-5', '1.5', '']) {
    test(`does not care for a Retry-After of ${JSON.stringify(unreadable)}`, async () => {
      const headers = { 'retry-after': unreadable };
      assert.deepEqual(await waitsOf({ retry: 1, ...linear }, { status: 503, headers }), [1_000]);
    });
  }
  test('understands a date in Retry-After, by its own clock', async () => {
    const clock = startClock();
    const date = new Date(clock.now() + 90_000).toUTCString();
    assert.deepEqual(
      await waitsOf({ retry: 1, ...linear }, { status: 503, headers: { 'retry-after': date } }, undefined, clock),
      [90_000],
    );
  });
  test('has no end that a clock could not count', async () => {
    const [wait] = (await waitsOf({ retry: 1, ...linear, backoffDelay: 'P1000Y' }, { status: 503 })) as [number];
    assert.ok(Number.isSafeInteger(wait) && wait > 30 * 24 * 3_600_000, `${wait}`);
  });
});

/** The waits before each retry, by a clock that stands still while attempts are made. */
async function waitsOf(
  delivery: object | undefined,
  answer: Respond,
  random?: () => number,
  clock: Clock = startClock(random === undefined ? {} : { random }),
): Promise<number[]> {
  const sentAt: number[] = [];
  await using subscriber = await startSubscriber(() => {
    sentAt.push(clock.now());
    return answer;
  });
  await using bus = await startBus({ environment: clock });
  await bus.apply(trigger('waits', subscriber.url, delivery === undefined ? {} : { delivery }));
  await post(`${bus.url}/default/default`, {});
  const retries = (delivery as { retry: number } | undefined)?.retry ?? 10;
  for (let k = 1; k <= retries; k += 1) {
    await subscriber.count(k);
    await passTheWait(bus, clock, k);
  }
  await subscriber.count(retries + 1);
  await bus.deadLetters(1);
  assert.equal(subscriber.received.length, retries + 1);
  return sentAt.slice(1).map((time, index) => time - sentAt[index]!);
}

/** Waits until retry `k` is due and not a millisecond longer. */
async function passTheWait(bus: TestBus, clock: Clock, k: number): Promise<void> {
  let waiting = await bus.waiting('waits');
  while (waiting.tries < k) {
    await new Promise(setImmediate);
    waiting = await bus.waiting('waits');
  }
  const route = bus.bus.dispatcher.route('trigger/default/waits')!;
  await clock.expecting(waiting.dueAt);
  // The timer is set before the attempt that set it is off the list.
  await new Promise(setImmediate);
  clock.advance(waiting.dueAt - clock.now() - 1);
  assert.equal(route.inFlight, 0, 'nothing is sent before the wait is over');
  clock.advance(1);
}

describe('a wait', () => {
  test('outlives the process: what was due comes at once after the start, the rest at its time', async () => {
    const clock = startClock();
    const times: [id: string, time: number][] = [];
    await using subscriber = await startSubscriber(({ event }) => {
      times.push([event!.id, clock.now()]);
      return { status: times.length <= 2 ? 503 : 202 };
    });
    await using first = await startBus({ environment: clock });
    const manifests =
      trigger('waits', `${subscriber.url}1`, {
        filters: [{ exact: { id: 'short' } }],
        delivery: { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT10S' },
      }) +
      trigger('waits2', `${subscriber.url}2`, {
        filters: [{ exact: { id: 'long' } }],
        delivery: { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1H' },
      });
    await first.apply(manifests);
    const start = clock.now();
    for (const id of ['short', 'long']) await post(`${first.url}/default/default`, { id });
    await subscriber.count(2);
    const { dueAt } = await first.waiting('waits2');
    await first.waiting('waits');
    await using second = await first.restart();
    clock.advance(60_000);
    await second.apply(manifests);
    await subscriber.count(3);
    assert.deepEqual(times.at(-1), ['short', start + 60_000]);
    await clock.expecting(dueAt);
    clock.advance(dueAt - clock.now());
    await subscriber.count(4);
    assert.deepEqual(times.at(-1), ['long', start + 3_600_000]);
    await second.settled();
  });

  test('of one event holds no other up', async () => {
    const clock = startClock();
    await using subscriber = await startSubscriber(({ event }) => ({ status: event!.id === 'bad' ? 503 : 202 }));
    await using bus = await startBus({ environment: clock });
    const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1H' };
    const annotations = { 'millrace.dev/concurrency': '1' };
    await bus.apply(trigger('waits', subscriber.url, { delivery, annotations }));
    for (const id of ['bad', '1', '2']) await post(`${bus.url}/default/default`, { id });
    const got = await subscriber.count(3);
    assert.deepEqual(
      got.map(({ event }) => event!.id),
      ['bad', '1', '2'],
    );
    assert.equal((await bus.waiting('waits')).position, bus.entries()[0]!.position);
  });
});
