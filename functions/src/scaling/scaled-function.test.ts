import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';

import type { WebAnswer } from '@millrace/event/web';

import { systemClock } from '../clock.ts';

import { NotTaken } from '../runtime/runtime.ts';
import type { Instance, Runtime } from '../runtime/runtime.ts';
import { ScaledFunction } from './scaled-function.ts';
import { aContext, anEvent, failureOf, until } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';

/** Instances that do as they are told: no process, no time. */
function scripted(calls: (number: number) => () => Promise<WebAnswer>): Runtime & { begun: number } {
  return {
    begun: 0,
    start() {
      const call = calls((this.begun += 1));
      const { promise: ended, resolve } = Promise.withResolvers<string>();
      const end = async (): Promise<void> => {
        resolve('ended');
        await ended;
      };
      const instance: Instance = {
        id: '1',
        ready: Promise.resolve(),
        notes: [],
        ended,
        call,
        stop: end,
        kill: end,
      };
      return instance;
    },
    async close() {},
  };
}

const answer = (status: number, body = ''): WebAnswer => ({
  status,
  rawHeaders: [],
  body: Readable.from([Buffer.from(body)]),
});

function scaled(runtime: Runtime): ScaledFunction {
  const workload = {
    ...WORKLOAD_DEFAULTS,
    name: 'default/a',
    code: { language: 'node', file: '/a' },
  } as const;
  return new ScaledFunction({ workload, runtime, log: () => {}, clock: { ...systemClock, now: () => 0 } });
}

describe('a scaled function', () => {
  test('takes a call that meets a stopping instance to another one', async () => {
    const runtime = scripted((number) => async () => {
      if (number === 1) throw new NotTaken('stopping');
      return answer(204);
    });
    const running = scaled(runtime);
    assert.deepEqual(await running.handler(anEvent(), aContext()), {
      status: 204,
      event: undefined,
      headers: undefined,
    });
    assert.equal(runtime.begun, 2);
    await running.close();
  });

  test('does not begin instance after instance when each refuses its call', async () => {
    const runtime = scripted(() => async () => {
      throw new NotTaken('refused');
    });
    const running = scaled(runtime);
    const pending = failureOf(running.handler(anEvent(), aContext()));
    await until(() => runtime.begun === 2 && running.status().state === 'failing');
    await running.close();
    assert.equal((await pending).status, 503);
  });

  test('fails the call when the runtime cannot even begin', async () => {
    const running = scaled({
      start() {
        throw new Error('no space left on device');
      },
      async close() {},
    });
    assert.match((await failureOf(running.handler(anEvent(), aContext()))).message, /cannot start: no space left/);
    assert.equal(running.status().state, 'failing');
    await running.close();
  });

  test('turns whatever an instance throws into a failure', async () => {
    const running = scaled(scripted(() => () => Promise.reject(new TypeError('odd'))));
    assert.match((await failureOf(running.handler(anEvent(), aContext()))).message, /TypeError: odd/);
    await running.close();
  });

  test('is well again once an instance answers, be it with a failure', async () => {
    const running = scaled(
      scripted((number) => async () => {
        if (number === 1) throw new NotTaken('refused');
        return answer(500, 'no');
      }),
    );
    assert.equal((await failureOf(running.handler(anEvent(), aContext()))).status, 500);
    assert.equal(running.status().state, 'running');
    await running.drain();
    assert.equal(running.status().state, 'idle');
  });

  test('refuses at once a call that nobody waits for', async () => {
    const runtime = scripted(() => async () => answer(204));
    const running = scaled(runtime);
    await failureOf(running.handler(anEvent(), aContext(AbortSignal.abort())));
    assert.equal(runtime.begun, 0);
    await running.close();
  });
});
