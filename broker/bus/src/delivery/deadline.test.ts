import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { HandlerFailure, NO_HEADERS } from '@millrace/event/handler';

import { startClock } from '../../../../test/support/clock.ts';
import { AttemptDeadline } from './deadline.ts';

function startDeadline() {
  const clock = startClock();
  const deadline = new AttemptDeadline({ headers: NO_HEADERS, attempt: 3, timeoutMs: 50, environment: clock });
  return { clock, deadline };
}

describe('a deadline', () => {
  test('aborts the signal when its time is over and not before, with a failure without a status', () => {
    const { clock, deadline } = startDeadline();
    const { signal } = deadline;
    clock.advance(49);
    assert.ok(!signal.aborted);
    clock.advance(1);
    assert.ok(signal.aborted);
    assert.ok(signal.reason instanceof HandlerFailure);
    assert.equal(signal.reason.status, undefined);
    assert.match(signal.reason.message, /50 ms/);
  });

  test('aborts a signal that is asked for too late', () => {
    const { clock, deadline } = startDeadline();
    clock.advance(50);
    assert.ok(deadline.signal.aborted);
    assert.ok(deadline.signal.reason instanceof HandlerFailure);
  });

  test('calls its listener once, with the reason', () => {
    const { clock, deadline } = startDeadline();
    const reasons: Error[] = [];
    deadline.onAbort((reason) => reasons.push(reason));
    clock.advance(49);
    assert.deepEqual(reasons, []);
    clock.advance(100);
    assert.deepEqual(reasons, [deadline.signal.reason]);
  });

  test('calls a listener that comes too late at once', () => {
    const { clock, deadline } = startDeadline();
    clock.advance(50);
    const reasons: Error[] = [];
    deadline.onAbort((reason) => reasons.push(reason));
    assert.deepEqual(reasons, [deadline.signal.reason]);
  });

  test('calls the last one who asked', () => {
    const { clock, deadline } = startDeadline();
    const called: string[] = [];
    deadline.onAbort(() => called.push('first'));
    deadline.onAbort(() => called.push('second'));
    clock.advance(50);
    assert.deepEqual(called, ['second']);
  });

  test('does nothing when the attempt is over in time', () => {
    const { clock, deadline } = startDeadline();
    deadline.onAbort(() => assert.fail('it was called off'));
    deadline.cancel();
    clock.advance(1_000);
    assert.ok(!deadline.signal.aborted);
  });
});
