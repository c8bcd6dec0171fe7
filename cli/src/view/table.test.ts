import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fields, indented, table } from './table.ts';

test('columns are as wide as their widest cell, and nothing trails', () => {
  const text = table(
    ['NAME', 'AGE', 'REASON'],
    [
      ['a', 1, undefined],
      ['longer', undefined, 'why'],
      ['𝒳', '2d', ''],
    ],
  );
  assert.equal(text, ['NAME     AGE   REASON', 'a        1', 'longer         why', '𝒳        2d', ''].join('\n'));
});

test('a table without rows is its header', () => assert.equal(table(['A', 'B'], []), 'A   B\n'));

test('cells are made printable', () => {
  assert.equal(table(['A'], [['x\u001b[2J\ny']]), 'A\nx\\u001b[2J\\ny\n');
  assert.equal(fields([['A', 'x\u001by']]), 'A:  x\\u001by\n');
});

test('fields stand below each other, and those without a value are left out', () => {
  assert.equal(
    fields([
      ['Long name', 1],
      ['None', undefined],
      ['B', 'two'],
    ]),
    'Long name:  1\nB:          two\n',
  );
  assert.equal(fields([]), '');
});

test('indented text has no spaces on empty lines', () => assert.equal(indented('a\n\n  b\n'), '  a\n\n    b\n'));
