import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bearerOf } from './bearer.ts';

const cases: readonly [headers: readonly string[], token: string | undefined][] = [
  [['Authorization', 'Bearer abc.def-1_~+/=='], 'abc.def-1_~+/=='],
  [['host', 'a', 'AUTHORIZATION', 'bearer   abc '], 'abc'],
  [[], undefined],
  [['Authorization', 'Basic abc'], undefined],
  [['Authorization', 'Bearer'], undefined],
  [['Authorization', 'Bearer a b'], undefined],
  [['Authorization', 'Bearer a,Bearer b'], undefined],
  [['Authorization', 'Bearer a', 'authorization', 'Bearer a'], undefined],
  [['X-Authorization', 'Bearer abc'], undefined],
];

for (const [headers, token] of cases) {
  test(`the token of ${JSON.stringify(headers)} is ${token}`, () => assert.equal(bearerOf(headers), token));
}
