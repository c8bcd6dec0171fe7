import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { FunctionHost, RunningFunction } from '@millrace/bus/control/ports';
import { unavailable } from '@millrace/functions/unavailable';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { broker } from '../support/manifests.ts';

/** A function that takes so many calls at once and no more; it answers when it is told to. */
class Narrow implements FunctionHost {
  readonly #places: number;
  readonly #calls: { end(): void }[] = [];
  readonly #listeners = new Set<() => void>();
  most = 0;
  taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  start(): RunningFunction {
    return {
      ...unavailable('', ''),
      handler: () => this.#take(),
      room: () => this.#places - this.#calls.length,
      onRoom: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      change() {},
    };
  }

  /** Answers one call. */
  answer(): void {
    this.#calls[0]?.end();
  }

  async #take(): Promise<{ status: number }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = { end: resolve };
    this.#calls.push(call);
    this.taken += 1;
    this.most = Math.max(this.most, this.#calls.length);
    await promise;
    this.#calls.splice(this.#calls.indexOf(call), 1);
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
    return { status: 204 };
  }
}

const toFunction = (name: string) => `
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec:
  broker: default
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: narrow } }
`;
const SERVICE = `
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: narrow }
spec: { template: { spec: { containers: [{ image: narrow }] } } }
`;

describe('deliveries to a function', () => {
  test('wait in the log until it has room, whichever route they come by', { timeout: 20_000 }, async () => {
    const functions = new Narrow(2);
    await using at = await startBus({ functions });
    await at.apply(broker() + toFunction('one') + toFunction('two') + SERVICE);
    const events = 50;
    for (let id = 0; id < events; id += 1) {
      assert.equal((await post(`${at.url}/default/default`, { id: String(id), type: 't' })).status, 202);
    }
    while (functions.taken < 2 * events || Object.values(at.bus.lag()).some((lag) => lag > 0)) {
      functions.answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await at.settled();
    assert.equal(functions.most, 2);
    assert.equal(functions.taken, 2 * events);
    assert.deepEqual(await at.deadLetters(0), []);
  });
});
