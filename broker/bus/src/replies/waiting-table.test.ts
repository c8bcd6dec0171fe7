import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import { startClock } from '../../../../test/support/clock.ts';
import { openWaitingTable } from './waiting-table.ts';

const event = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, undefined);
const never = new AbortController().signal;

describe('the table of those who wait', () => {
  test('gives each the event of its key, once', async () => {
    const table = openWaitingTable(startClock());
    const waiting = ['a', 'b'].map((key) => table.wait(key, 1_000, never));
    const other = { ...event, id: '2' };
    assert.deepEqual(
      [table.answer('b', other), table.answer('a', event), table.answer('c', event)],
      [true, true, false],
    );
    assert.deepEqual(await Promise.all(waiting), [event, other]);
    assert.equal(table.answer('a', event), false);
    assert.equal(table.size, 0);
  });

  test('lets go when the time is over, or nobody wants to know', async () => {
    const clock = startClock();
    const table = openWaitingTable(clock);
    const gone = new AbortController();
    const waiting = [table.wait('late', 1_000, never), table.wait('gone', 5_000, gone.signal)];
    assert.equal(table.size, 2);
    clock.advance(1_000);
    gone.abort();
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
    assert.equal(await table.wait('after', 1_000, gone.signal), undefined);
    assert.equal(table.size, 0);
  });

  test('leaves nothing to be called when somebody was answered', async () => {
    const calls: string[] = [];
    const table = openWaitingTable({ after: () => () => calls.push('called off') });
    const waiting = table.wait('a', 1_000, never);
    table.answer('a', event);
    assert.equal(await waiting, event);
    assert.deepEqual(calls, ['called off']);
  });
});
