import assert from 'node:assert/strict';
import { test } from 'node:test';

import { showAge } from './age.ts';

test('ages are shown as kubectl shows them', () => {
  const [s, m, h, d, y] = [1_000, 60_000, 3_600_000, 86_400_000, 365 * 86_400_000];
  const cases: readonly [age: number, shown: string][] = [
    [-2 * s, '<invalid>'],
    [-1 * s, '0s'],
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [9 * m + 59 * s, '9m59s'],
    [10 * m + 59 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 5 * m, '7h5m'],
    [47 * h, '47h'],
    [2 * d, '2d'],
    [7 * d + 23 * h, '7d23h'],
    [8 * d + 23 * h, '8d'],
    [729 * d, '729d'],
    [2 * y, '2y'],
    [7 * y + 3 * d, '7y3d'],
    [8 * y + 3 * d, '8y'],
  ];
  for (const [age, shown] of cases) assert.equal(showAge(age), shown);
  assert.equal(showAge(Number.NaN), '<invalid>');
});
