import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toBoolean, toInteger, toText } from './value.ts';
import type { Value } from './value.ts';

describe('casting', () => {
  const integers: [value: Value, integer: number | undefined][] = [
    [7, 7],
    [true, 1],
    [false, 0],
    ['7', 7],
    ['+7', 7],
    ['-7', -7],
    ['007', 7],
    ['-0', 0],
    ['2147483647', 2147483647],
    ['-2147483648', -2147483648],
    ['2147483648', undefined],
    ['-2147483649', undefined],
    ['9'.repeat(400), undefined],
    ['', undefined],
    ['+', undefined],
    ['--1', undefined],
    [' 1', undefined],
    ['1\n', undefined],
    ['1.0', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['١', undefined],
    ['true', undefined],
  ];
  for (const [value, integer] of integers) {
    test(`${JSON.stringify(value)} to Integer gives ${integer ?? 'an error'}`, () => {
      assert.equal(toInteger(value), integer);
    });
  }

  const booleans: [value: Value, boolean: boolean | undefined][] = [
    [true, true],
    [0, false],
    [1, true],
    [-50, true],
    ['true', true],
    ['TrUe', true],
    ['FALSE', false],
    ['', undefined],
    ['1', undefined],
    [' true', undefined],
    ['yes', undefined],
  ];
  for (const [value, boolean] of booleans) {
    test(`${JSON.stringify(value)} to Boolean gives ${boolean ?? 'an error'}`, () => {
      assert.equal(toBoolean(value), boolean);
    });
  }

  const texts: [value: Value, text: string][] = [
    [true, 'true'],
    [false, 'false'],
    [0, '0'],
    [-2147483648, '-2147483648'],
    ['TRUE', 'TRUE'],
  ];
  for (const [value, text] of texts) {
    test(`${JSON.stringify(value)} to String gives ${JSON.stringify(text)}`, () => {
      assert.equal(toText(value), text);
    });
  }
});
