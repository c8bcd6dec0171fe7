import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseItemsPath } from './items-path.ts';

describe('the path to a list', () => {
  for (const [text, steps] of [
    ['$', []],
    ['$.lines', ['lines']],
    ['$.order.line-items', ['order', 'line-items']],
    ['$._größe', ['_größe']],
    ['$[0]', [0]],
    ['$[10].lines', [10, 'lines']],
    [`$['order lines']['']`, ['order lines', '']],
    [`$.a['0'][0]`, ['a', '0', 0]],
    [`$['__proto__']`, ['__proto__']],
    [`$${'.a'.repeat(32)}`, Array.from({ length: 32 }, () => 'a')],
  ] as const) {
    test(`${text} is ${JSON.stringify(steps)}`, () => assert.deepEqual(parseItemsPath(text), steps));
  }

  for (const text of [
    '',
    'lines',
    '.lines',
    '$lines',
    '$.',
    '$..lines',
    '$.0',
    '$.a b',
    '$[',
    '$[]',
    '$[-1]',
    '$[01]',
    '$[*]',
    '$[0:1]',
    '$["a"]',
    `$['it's']`,
    '$ ',
    ' $',
    `$${'.a'.repeat(33)}`,
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseItemsPath(text), undefined));
  }
});
