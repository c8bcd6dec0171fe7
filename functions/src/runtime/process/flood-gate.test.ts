import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeFloodGate } from './flood-gate.ts';
import { heldClock } from './instances.fixture.ts';

describe('a flood of lines', () => {
  test('is let through up to 10,000 a second; the rest is counted and told', async () => {
    const clock = heldClock();
    const lines: string[] = [];
    const gate = makeFloodGate(clock, (line) => lines.push(line));
    for (let line = 0; line < 22_345; line += 1) gate.pass('x');
    assert.equal(lines.length, 10_000);
    await clock.pass(1_000);
    assert.deepEqual(lines.slice(10_000), ['… 12,345 lines dropped: more than is kept of a second']);
    gate.pass('after');
    assert.equal(lines.at(-1), 'after');
  });

  test('is bound in characters, too, and told when the stream ends', () => {
    const lines: string[] = [];
    const gate = makeFloodGate(heldClock(), (line) => lines.push(line));
    for (let line = 0; line < 600; line += 1) gate.pass('x'.repeat(16 * 1024));
    gate.end();
    assert.deepEqual([lines.length, lines.at(-1)], [513, '… 88 lines dropped: more than is kept of a second']);
  });

  test('that stays within it is left alone', async () => {
    const clock = heldClock();
    const lines: string[] = [];
    const gate = makeFloodGate(clock, (line) => lines.push(line));
    gate.pass('one');
    await clock.pass(1_000);
    gate.pass('two');
    gate.end();
    assert.deepEqual(lines, ['one', 'two']);
  });
});
