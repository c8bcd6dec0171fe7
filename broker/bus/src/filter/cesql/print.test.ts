import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parse } from './parser.ts';
import { textOf } from './print.ts';

describe('an expression is printed as it is read', () => {
  const rows: [text: string, printed: string][] = [
    ["type='a'", "type = 'a'"],
    ['a AND b OR c XOR d', 'a AND b OR c XOR d'],
    ['(a AND b) OR c', '(a AND b) OR c'],
    ['NOT (a = b)', 'NOT (a = b)'],
    ['NOT a = b', 'NOT a = b'],
    ['(a = b) = TRUE', 'a = b = TRUE'],
    ['a = (b = TRUE)', 'a = (b = TRUE)'],
    ['10 - (2 - 3) * -4', '10 - (2 - 3) * -4'],
    ['-(5) + -a', '-(5) + -a'],
    ['(a + b) LIKE "x_%"', "(a + b) LIKE 'x_%'"],
    ["a not like 'x' in (true)", "a NOT LIKE 'x' IN (TRUE)"],
    ['a * b IN (1, c + 1)', 'a * b IN (1, c + 1)'],
    [`concat("it's", 'a "b"') = exists subject`, `CONCAT("it's", 'a "b"') = EXISTS subject`],
  ];
  for (const [text, printed] of rows) {
    test(text, () => {
      assert.equal(textOf(parse(text)), printed);
      assert.equal(textOf(parse(printed)), printed);
      assert.deepEqual(shape(parse(printed)), shape(parse(text)));
    });
  }
});

/** The tree without its offsets. */
function shape(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'at' ? undefined : value)));
}
