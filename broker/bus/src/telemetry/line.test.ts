import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { lineOf } from './line.ts';
import { redactFacts } from './redact.ts';

describe('a line of the log', () => {
  test('is one line without control characters, whatever is in it', () => {
    const facts = fc.dictionary(fc.string({ unit: 'binary' }), fc.anything());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), facts, (message, facts) => {
        const line = lineOf({ time: 0, level: 'info', message, facts: redactFacts(facts), colour: false });
        assert.ok(line.endsWith('\n'));
        assert.doesNotMatch(line.slice(0, -1), /[\p{C}\u2028\u2029]/u);
      }),
    );
  });

  test('shows the local time of day', () => {
    const time = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
    assert.equal(lineOf({ time, level: 'warn', message: 'm', facts: {}, colour: false }), '03:04:05.006 WARN  m\n');
  });
});
