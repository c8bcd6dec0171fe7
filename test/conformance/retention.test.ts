import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryStore } from '@millrace/bus/log/memory';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { startClock } from '../support/clock.ts';
import type { Clock } from '../support/clock.ts';
import { post } from '../support/events.ts';
import { declare } from '../support/flows.ts';
import { broker, trigger } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

const MINUTE_MS = 60_000;
const RETAIN_MS = 10 * MINUTE_MS;

/** A bus that keeps entries for ten minutes of a clock that the test moves. */
interface Kept extends AsyncDisposable {
  readonly bus: TestBus;
  readonly clock: Clock;
  /** Lets so many minutes pass; resolves when retention has looked at the end of each. */
  pass(minutes: number): Promise<void>;
}

async function startKept(): Promise<Kept> {
  const clock = startClock();
  const store = openMemoryStore();
  let trimmed = Promise.withResolvers<void>();
  const trim: typeof store.trim = async (retention) => {
    const count = await store.trim(retention);
    trimmed.resolve();
    return count;
  };
  const bus = await startBus({ store: { ...store, trim }, environment: clock, retainMs: RETAIN_MS });
  return {
    bus,
    clock,
    async pass(minutes) {
      for (let minute = 0; minute < minutes; minute += 1) {
        trimmed = Promise.withResolvers();
        const looked = clock.expecting(clock.now() + 2 * MINUTE_MS);
        clock.advance(MINUTE_MS);
        await trimmed.promise;
        await looked;
      }
    },
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  };
}

const idsOf = (bus: TestBus) => bus.entries().map((it) => it.event.id);
const send = async (url: string, id: string) => assert.equal((await post(url, { id })).status, 202);

describe('retention', () => {
  test('takes what came to a Broker and a channel that are declared no more', async () => {
    await using subscriber = await startSubscriber();
    await using kept = await startKept();
    const { bus } = kept;
    const stays = broker() + trigger('a', subscriber.url);
    await bus.apply(stays + broker(undefined, { name: 'old' }) + declare('InMemoryChannel', 'old'));
    await send(`${bus.url}/default/old`, 'of the broker');
    await send(`${bus.url}/channels/default/old`, 'of the channel');
    await bus.apply(stays);
    await kept.pass(9);
    assert.deepEqual(idsOf(bus), ['of the broker', 'of the channel']);
    await send(`${bus.url}/default/default`, 'newest');
    await subscriber.count(1);
    await kept.pass(2);
    assert.deepEqual(idsOf(bus), ['newest']);
  });

  test('leaves what waits and what is dead, also of what is declared no more', async () => {
    await using subscriber = await startSubscriber(({ event }) => ({ status: event?.id === 'waits' ? 503 : 400 }));
    await using kept = await startKept();
    const { bus } = kept;
    const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT100H' };
    const old = { name: 'old' };
    await bus.apply(broker() + broker(undefined, old) + trigger('a', subscriber.url, { broker: 'old', delivery }));
    for (const id of ['waits', 'dead']) await send(`${bus.url}/default/old`, id);
    await bus.waiting('a');
    await bus.deadLetters(1);
    await bus.apply(broker());
    await send(`${bus.url}/default/default`, 'of another');
    await send(`${bus.url}/default/default`, 'newest');
    await kept.pass(12);
    assert.deepEqual(idsOf(bus), ['waits', 'dead', 'newest']);
  });

  test('leaves a Trigger that is made again what came meanwhile and is not too old', async () => {
    await using subscriber = await startSubscriber();
    await using kept = await startKept();
    const { bus } = kept;
    await bus.apply(broker() + trigger('a', subscriber.url));
    await send(`${bus.url}/default/default`, 'before');
    await subscriber.count(1);
    await bus.apply(broker());
    await send(`${bus.url}/default/default`, 'too old');
    await kept.pass(8);
    await send(`${bus.url}/default/default`, 'still there');
    await kept.pass(4);
    assert.deepEqual(idsOf(bus), ['still there']);
    await bus.apply(broker() + trigger('a', subscriber.url));
    const received = await subscriber.count(2);
    assert.deepEqual(
      received.map((it) => it.event?.id),
      ['before', 'still there'],
    );
  });

  test('leaves what a step that was taken out has still to take', async () => {
    await using kept = await startKept();
    const { bus } = kept;
    const hanging = await startSubscriber(() => ({ hang: true }));
    await using _ = hanging;
    const sequence = declare('Sequence', 'old', { steps: [{ uri: hanging.url, delivery: { timeout: 'PT100H' } }] });
    await bus.apply(broker() + sequence);
    await send(`${bus.url}/flows/sequence/default/old`, 'inside');
    await hanging.count(1);
    await bus.apply(broker());
    await send(`${bus.url}/default/default`, 'newest');
    await kept.pass(12);
    assert.deepEqual(idsOf(bus), ['inside', 'newest']);
    await bus.bus.close();
  });
});
