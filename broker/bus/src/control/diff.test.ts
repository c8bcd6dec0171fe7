import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { difference } from './diff.ts';

const nameOf = ({ name }: { name: string }) => name;
const one = { name: 'one', value: 1 };
const two = { name: 'two', value: 2 };

describe('the difference', () => {
  test('of the same is nothing, also where it is said again', () => {
    assert.deepEqual(difference([one, two], [{ ...two }, { ...one }], nameOf), { stopped: [], started: [] });
  });

  test('is what went and what came', () => {
    assert.deepEqual(difference([one], [two], nameOf), { stopped: [one], started: [two] });
  });

  test('is, for what changed, its end as it was and its start as it is', () => {
    const changed = { name: 'one', value: 3 };
    assert.deepEqual(difference([one, two], [changed, two], nameOf), { stopped: [one], started: [changed] });
  });
});
