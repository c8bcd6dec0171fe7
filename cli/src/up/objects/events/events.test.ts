import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryObjects } from '@millrace/apiserver/objects/memory';
import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import { facts } from '@millrace/bus/log/facts';

import { noteDeadLetters } from './dead-letters.ts';
import { EVENT_TYPE, KEPT_MS, MOST_EVENTS } from './object-events.ts';
import { eventRecorder } from './recorder.ts';

const BROKER = { group: 'eventing.knative.dev', kind: 'Broker' };
const KEY = { ...BROKER, namespace: 'default', name: 'orders' };
const START = Date.parse('2026-01-02T03:04:05Z');

interface Condition {
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** A store with a Broker whose readiness is set, and a recorder that hears of it. */
async function startRecorder() {
  const store = openMemoryObjects();
  let time = START;
  const recorder = eventRecorder(store, [BROKER], () => time);
  async function becomes(ready: Condition): Promise<KubernetesObject> {
    const old = store.get(KEY);
    const [stored] = await store.write([
      {
        kind: 'put',
        key: KEY,
        object: {
          apiVersion: 'eventing.knative.dev/v1',
          kind: 'Broker',
          metadata: {},
          status: { conditions: [{ type: 'Ready', ...ready }] },
        },
        expected: old?.metadata.resourceVersion,
      },
    ]);
    return stored!;
  }
  const told = () =>
    store.list(EVENT_TYPE).items.map((it) => {
      const { type, reason, message, count, lastTimestamp } = it as unknown as Record<string, string | number>;
      return { type, reason, message, count, lastTimestamp };
    });
  return {
    store,
    recorder,
    becomes,
    told,
    pass: (milliseconds: number) => (time += milliseconds),
    async [Symbol.asyncDispose]() {
      recorder.close();
      await store.close();
    },
  };
}

describe('Events of objects', () => {
  test('tell that an object is not ready, why, and that it is again; not that it is from the beginning', async () => {
    await using it = await startRecorder();
    await it.becomes({ status: 'True' });
    await it.recorder.flush();
    assert.deepEqual(it.told(), []);
    await it.becomes({ status: 'Unknown', reason: 'Deploying' });
    await it.becomes({ status: 'False', reason: 'CrashLoop', message: 'it ends at once' });
    await it.becomes({ status: 'True' });
    await it.recorder.flush();
    const common = { count: 1, lastTimestamp: '2026-01-02T03:04:05Z' };
    assert.deepEqual(
      new Set(it.told()),
      new Set([
        { type: 'Warning', reason: 'CrashLoop', message: 'it ends at once', ...common },
        { type: 'Normal', reason: 'Ready', message: 'the Broker is ready', ...common },
      ]),
    );
    const [event] = it.store.list(EVENT_TYPE).items;
    const { uid } = it.store.get(KEY)!.metadata;
    assert.equal((event!['involvedObject'] as { uid: string }).uid, uid);
  });

  test('count what happens again, and are written again only after a while', async () => {
    await using it = await startRecorder();
    const flap = async () => {
      await it.becomes({ status: 'False', reason: 'Gone', message: 'gone' });
      await it.becomes({ status: 'Unknown', reason: 'Looking' });
    };
    await flap();
    await it.recorder.flush();
    await flap();
    await flap();
    await it.recorder.flush();
    assert.deepEqual(
      it.told().map(({ count }) => count),
      [1],
    );
    it.pass(10_000);
    await it.recorder.flush();
    assert.deepEqual(it.told(), [
      { type: 'Warning', reason: 'Gone', message: 'gone', count: 3, lastTimestamp: '2026-01-02T03:04:15Z' },
    ]);
  });

  test('are one for each route with dead letters, however many, with the reason of the last', async () => {
    await using it = await startRecorder();
    await it.becomes({ status: 'True' });
    const stop = noteDeadLetters(it.store, it.recorder, () => 'Broker/default/orders');
    const settle = (outcome: string, message: string) =>
      facts.attempted.publish({ settlement: { route: 'trigger/default/a', outcome, failure: { message } } });
    settle('delivered', 'none');
    for (let number = 1; number <= 100; number++) settle('parked', `answered ${number}`);
    stop();
    settle('parked', 'nobody listens');
    await it.recorder.flush();
    assert.deepEqual(it.told(), [
      {
        type: 'Warning',
        reason: 'DeadLetter',
        message: 'an event of the route trigger/default/a rests among the dead letters: answered 100',
        count: 100,
        lastTimestamp: '2026-01-02T03:04:05Z',
      },
    ]);
  });

  test('go an hour after they happened last, and the oldest when they are too many', async () => {
    await using it = await startRecorder();
    const about = await it.becomes({ status: 'True' });
    const note = (topic: string) =>
      it.recorder.note({ about, type: 'Normal', reason: 'Noted', message: topic, topic, count: 1 });
    note('old');
    await it.recorder.flush();
    it.pass(KEPT_MS + 1);
    note('new');
    await it.recorder.flush();
    assert.deepEqual(
      it.told().map(({ message }) => message),
      ['new'],
    );
    it.pass(1_000);
    for (let number = 1; number <= MOST_EVENTS; number++) note(String(number));
    await it.recorder.flush();
    it.pass(60_000);
    await it.recorder.flush();
    assert.equal(it.told().length, MOST_EVENTS);
    assert.equal(
      it.told().some(({ message }) => message === 'new'),
      false,
    );
  });
});
