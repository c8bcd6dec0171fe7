import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Join } from '@millrace/resources/join';

import { verdictOf } from './join-verdict.ts';
import type { PartOutcome } from './part-outcome.ts';

/** `+` answered, `0` taken without an answer, `-` failed, `c` called off, `s` skipped, `.` nothing yet. */
const OUTCOMES: Readonly<Record<string, PartOutcome | undefined>> = {
  '+': { outcome: 'succeeded', position: 1 },
  0: { outcome: 'empty' },
  '-': { outcome: 'failed', reason: 'broken' },
  c: { outcome: 'cancelled', reason: 'not needed' },
  s: { outcome: 'skipped' },
  '.': undefined,
};

const TABLE: readonly (readonly [
  wanted: Join['wanted'],
  failures: Join['failures'],
  branches: string,
  verdict: string,
])[] = [
  // all
  ['all', 'complete', '...', 'open'],
  ['all', 'complete', '++.', 'open'],
  ['all', 'complete', '+-.', 'open'],
  ['all', 'complete', '+-0', 'complete'],
  ['all', 'complete', '+++', 'complete'],
  ['all', 'complete', 'ss+', 'complete'],
  ['all', 'complete', 'sss', 'complete'],
  ['all', 'complete', '++. late', 'complete'],
  ['all', 'fail', '++.', 'open'],
  ['all', 'fail', '.-.', 'failed'],
  ['all', 'fail', '+c.', 'failed'],
  ['all', 'fail', '+0s', 'complete'],
  ['all', 'fail', '++. late', 'failed'],
  // the first
  ['first', 'complete', '...', 'open'],
  ['first', 'complete', '-0.', 'open'],
  ['first', 'complete', '.+.', 'complete'],
  ['first', 'complete', '-0-', 'complete'],
  ['first', 'complete', '... late', 'complete'],
  ['first', 'fail', '--.', 'open'],
  ['first', 'fail', '--+', 'complete'],
  ['first', 'fail', '-0-', 'failed'],
  ['first', 'fail', '... late', 'failed'],
  // some
  [2, 'complete', '+..', 'open'],
  [2, 'complete', '+-+', 'complete'],
  [2, 'complete', '+--', 'complete'],
  [2, 'complete', '+.- late', 'complete'],
  [2, 'fail', '+-.', 'open'],
  [2, 'fail', '--.', 'failed'],
  [2, 'fail', '+0-', 'failed'],
  [2, 'fail', '+.. late', 'failed'],
  // Of those that were taken there are fewer than wanted.
  [2, 'fail', '+ss', 'complete'],
  [3, 'fail', '+s.', 'open'],
  [2, 'fail', 'sss', 'complete'],
];

for (const [wanted, failures, row, verdict] of TABLE) {
  const [branches, late] = row.split(' ');
  test(`a join of ${wanted} whose failures ${failures} it is ${verdict} with ${row}`, () => {
    const outcomes = branches!.split('').map((it) => OUTCOMES[it]);
    assert.equal(verdictOf(outcomes, { wanted, failures }, late !== undefined), verdict);
  });
}
