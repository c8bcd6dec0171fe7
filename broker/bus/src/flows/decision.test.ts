import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { NO_HEADERS } from '@millrace/event/handler';

import { startClock } from '../../../../test/support/clock.ts';
import type { Entry } from '../log/log.ts';
import { Decision } from './decision.ts';

function decide(options: { readonly passed?: number } = {}) {
  const clock = startClock();
  const { passed = 0 } = options;
  const entry = { arrivedAt: clock.now() - passed } as Entry;
  const abort = new AbortController();
  const context = { signal: abort.signal, headers: NO_HEADERS, attempt: 1 };
  let late = 0;
  const decision = new Decision<string>({
    entry,
    deadlineMs: 1_000,
    context,
    environment: clock,
    late: () => void (late += 1),
  });
  return { clock, abort, decision, late: () => late };
}

describe('a decision', () => {
  test('is made once', async () => {
    const { decision } = decide();
    decision.make('a');
    decision.make('b');
    decision.fail(new Error('c'));
    assert.equal(await decision.made, 'a');
  });

  test('is late when its time is over, counted from the arrival of what it is about', () => {
    const { clock, late } = decide({ passed: 400 });
    clock.advance(599);
    assert.equal(late(), 0);
    clock.advance(1);
    assert.equal(late(), 1);
  });

  test('is late in the next turn when its time was over before', async () => {
    const { late } = decide({ passed: 5_000 });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.equal(late(), 1);
  });

  test('is never late once it is made', () => {
    const { clock, decision, late } = decide();
    decision.make('a');
    clock.advance(10_000);
    assert.equal(late(), 0);
  });

  test('fails, and says that nobody made it, when the attempt is ended from outside', async () => {
    const { abort, decision } = decide();
    abort.abort(new Error('given back'));
    await assert.rejects(decision.made, { message: 'given back' });
    assert.equal(decision.isMade, true);
    assert.equal(decision.isAborted, true);
  });
});
