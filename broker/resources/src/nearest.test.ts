import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const FIELDS = ['broker', 'subscriber', 'filters', 'deadLetterSink', 'retry'];

test('nearest: a slip of the finger finds the field that was meant', () => {
  for (const [word, meant] of [
    ['borker', 'broker'],
    ['subscribr', 'subscriber'],
    ['Filters', 'filters'],
    ['deadlettersink', 'deadLetterSink'],
    ['retries', 'retry'],
  ] as const) {
    assert.equal(nearest(word, FIELDS), meant);
  }
});

test('nearest: a word that is like none of them finds nothing', () => {
  assert.equal(nearest('image', FIELDS), undefined);
  assert.equal(nearest('x', FIELDS), undefined);
  assert.equal(nearest('', FIELDS), undefined);
  assert.equal(nearest('broker'.repeat(1000), FIELDS), undefined);
});
