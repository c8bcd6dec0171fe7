import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { pick, splitOf } from './traffic.ts';

const target = (percent: number, revisionName?: string, tag?: string) => ({ revisionName, percent, tag });
const revisions = { latest: 'c', pinned: undefined, has: (name: string) => ['a', 'b', 'c'].includes(name) };

describe('the traffic of a function', () => {
  test('goes to the latest revision when nothing is said, or no percentage is', () => {
    for (const traffic of [[], [target(0)], [target(0, 'a', 'old')]]) {
      assert.deepEqual(splitOf(traffic, revisions).shares, [{ revision: 'c', percent: 100 }]);
    }
  });

  test('is divided by percent; what two parts give one revision is one part', () => {
    const { shares, tags } = splitOf(
      [target(20, 'a'), target(30), target(50, 'c', 'new'), target(0, 'b', 'b')],
      revisions,
    );
    assert.deepEqual(shares, [
      { revision: 'a', percent: 20 },
      { revision: 'c', percent: 80 },
    ]);
    assert.deepEqual(
      [...tags],
      [
        ['new', 'c'],
        ['b', 'b'],
      ],
    );
  });

  test('goes to the latest for a revision that is not there', () => {
    const { shares, tags, missing } = splitOf([target(60, 'x', 'x'), target(40, 'a'), target(0, 'x')], revisions);
    assert.deepEqual(shares, [
      { revision: 'c', percent: 60 },
      { revision: 'a', percent: 40 },
    ]);
    assert.deepEqual([[...tags], missing], [[['x', 'c']], ['x']]);
  });

  test('goes to the pinned revision whatever is said; tags go on', () => {
    const { shares, tags } = splitOf([target(50, 'a'), target(50, 'b', 'b')], { ...revisions, pinned: 'a' });
    assert.deepEqual([shares, [...tags]], [[{ revision: 'a', percent: 100 }], [['b', 'b']]]);
  });

  test('is given out exactly by percent over evenly spread chances', () => {
    const { shares } = splitOf([target(1, 'a'), target(29, 'b'), target(70)], revisions);
    const counts: Record<string, number> = {};
    for (let chance = 0; chance < 1_000; chance += 1) {
      const name = pick(shares, () => chance / 1_000)!;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    assert.deepEqual(counts, { a: 10, b: 290, c: 700 });
    assert.equal(
      pick([], () => 0),
      undefined,
    );
  });
});
