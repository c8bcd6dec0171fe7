import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEvent } from '@millrace/event/event';
import * as fc from 'fast-check';
import { compileCesql } from './cesql.ts';
import type { ErrorKind, Value } from './cesql.ts';

const event = makeEvent(
  {
    specversion: '1.0',
    id: 'id-1',
    source: '/shop',
    type: 'order',
    hop: '5',
    count: 7,
    zero: 0,
    flag: true,
    word: 'Grüße 😊',
  },
  undefined,
);

type Row = [expression: string, value: Value, error?: ErrorKind];

function table(name: string, rows: Row[]): void {
  describe(name, () => {
    for (const [expression, value, error] of rows) {
      test(`${expression} is ${JSON.stringify(value)}${error === undefined ? '' : ` with a ${error} error`}`, () => {
        const evaluation = compileCesql(expression).evaluate(event);
        assert.equal(evaluation.error?.kind, error);
        assert.ok(Object.is(evaluation.value, value), `got ${JSON.stringify(evaluation.value)}`);
      });
    }
  });
}

table('attributes', [
  ['specversion', '1.0'],
  ['hop', '5'],
  ['count', 7],
  ['flag', true],
  ['TYPE', 'order'],
  ['missing', false, 'missingAttribute'],
  ['data', false, 'missingAttribute'],
  ['constructor', false, 'missingAttribute'],
  ['EXISTS count', true],
  ['EXISTS zero', true],
  ['EXISTS missing', false],
  ['NOT EXISTS subject', true],
  ['EXISTS id AND EXISTS source AND EXISTS type AND EXISTS specversion', true],
]);

table('a missing attribute', [
  ["missing = ''", false, 'missingAttribute'],
  ['missing != 1', false, 'missingAttribute'],
  ['1 = missing', false, 'missingAttribute'],
  ['1 < missing', false, 'missingAttribute'],
  ['missing * 5', 0, 'missingAttribute'],
  ['1 / missing', 0, 'missingAttribute'],
  ['missing - 1 + 5', 0, 'missingAttribute'],
  ['-missing', 0, 'missingAttribute'],
  ['NOT missing', false, 'missingAttribute'],
  ["missing LIKE '%'", false, 'missingAttribute'],
  ["missing NOT LIKE 'x'", false, 'missingAttribute'],
  ['missing IN (1)', false, 'missingAttribute'],
  ['missing NOT IN (1)', false, 'missingAttribute'],
  ['1 IN (2, missing)', false, 'missingAttribute'],
  ['1 NOT IN (2, missing)', false, 'missingAttribute'],
  ['1 IN (1, missing)', true],
  ["CONCAT('a', missing)", '', 'missingAttribute'],
  ['LENGTH(missing)', 0, 'missingAttribute'],
  ['INT(missing)', 0, 'missingAttribute'],
  ['IS_INT(missing)', false, 'missingAttribute'],
  ['STRING(missing)', '', 'missingAttribute'],
  ['ABS(missing / 0)', 0, 'missingAttribute'],
  ['missing AND TRUE', false, 'missingAttribute'],
  ['TRUE AND missing', false, 'missingAttribute'],
  ['missing OR TRUE', false, 'missingAttribute'],
  ['TRUE XOR missing', false, 'missingAttribute'],
  ['FALSE AND missing', false],
  ['TRUE OR missing', true],
]);

table('logic', [
  ['TRUE AND TRUE', true],
  ['TRUE AND FALSE', false],
  ['FALSE OR TRUE', true],
  ['TRUE XOR TRUE', false],
  ['TRUE XOR FALSE', true],
  ["'true' AND 'TRUE'", true],
  ['1 AND 1', true],
  ['0 OR zero', false],
  ["'x' AND TRUE", false, 'cast'],
  ["FALSE OR 'x'", false, 'cast'],
  ["FALSE AND 'x'", false],
  ["FALSE XOR 'x'", false, 'cast'],
  ['FALSE XOR 1 / 0 = 1', false, 'math'],
  ['NOT TRUE', false],
  ["NOT 'false'", true],
  ['NOT 10', true, 'cast'],
  ["NOT 'x'", true, 'cast'],
  ['NOT NOT flag', true],
  // One level, from the right.
  ['TRUE OR TRUE AND FALSE', true],
  ['FALSE AND TRUE OR TRUE', false],
  ['(FALSE AND TRUE) OR TRUE', true],
  ['TRUE OR FALSE XOR TRUE', true],
  ['TRUE XOR TRUE OR FALSE', false],
  ['TRUE XOR FALSE AND missing', true],
  ['TRUE XOR FALSE OR FALSE', true],
]);

table('comparing', [
  ['1 = 1', true],
  ['hop = 5', true],
  ['5 = hop', true],
  ["count = '7'", true],
  ["'07' = 7", true],
  ["7 = '07'", false],
  ["TRUE = 'true'", true],
  ["TRUE = 'TRUE'", false],
  ["'TRUE' = TRUE", true],
  ['1 = TRUE', true],
  ['TRUE = 1', true],
  ['2 = TRUE', true],
  ["'abc' = 1", false, 'cast'],
  ["'abc' != 1", false, 'cast'],
  ["'abc' = 0", false, 'cast'],
  ["'abc' = TRUE", false, 'cast'],
  ["'a' = 'A'", false],
  ["'a' <> 'A'", true],
  ["'a' != 'a'", false],
  ['1 < 2', true],
  ["'10' > '9'", true],
  ['TRUE >= 1', true],
  ['2 <= 1', false],
  ["'a' < 'b'", false, 'cast'],
  ["1 < 'b'", false, 'cast'],
  ['hop < count', true],
]);

table('arithmetic', [
  ['1 + 2 * 3', 7],
  ['10 - 2 - 3', 5],
  ['7 / 2', 3],
  ['-7 / 2', -3],
  ['7 / -2', -3],
  ['7 % 3', 1],
  ['-7 % 3', -1],
  ['7 % -3', 1],
  ['-3 % 3', 0],
  ['0 / -3', 0],
  ['0 * -3', 0],
  ['1 / 0', 0, 'math'],
  ['1 % 0', 0, 'math'],
  ['0 / 0', 0, 'math'],
  ["1 / '0'", 0, 'math'],
  ["'x' / 0", 0, 'cast'],
  ["1 + 'x'", 0, 'cast'],
  ["'5' + TRUE", 6],
  ['1 / 0 + 5', 0, 'math'],
  ["1 / 0 = 'x'", false, 'math'],
  ['2147483647 + 1', -2147483648],
  ['-2147483648 - 1', 2147483647],
  ['65536 * 65536', 0],
  ['123456789 * 987654321', -67153019],
  ['-2147483648 / -1', -2147483648],
  ['-(-2147483648)', -2147483648],
  ['-0', 0],
  ['-zero', 0],
  ["-'10'", -10],
  ['-TRUE', -1],
  ["-'x'", 0, 'cast'],
]);

table('sets', [
  ['1 IN (1, 2)', true],
  ['3 IN (1, 2)', false],
  ['3 NOT IN (1, 2)', true],
  ["1 IN ('1', '2')", true],
  ["'1' IN (1)", true],
  ["'01' IN (1)", false],
  ["TRUE IN ('FALSE', 'TRUE')", true],
  ["type IN ('order', 'refund')", true],
  ["type IN ('ORDER')", false],
  ["type NOT IN ('order')", false],
  ['hop IN (count - 2, 8)', true],
  ["1 IN ('x', 1)", false, 'cast'],
  ["1 NOT IN ('x', 1)", false, 'cast'],
  ["1 IN (1, 'x')", true],
  ['(1 = 1) IN (TRUE)', true],
]);

table('patterns', [
  ["type LIKE 'ord%'", true],
  ["type NOT LIKE 'ord%'", false],
  ["type LIKE 'ORD%'", false],
  ["count LIKE '_'", true],
  ["flag LIKE 't%'", true],
  ["FALSE LIKE 'f%'", true],
  ["'a%b' LIKE 'a\\%b'", true],
  ["'axb' LIKE 'a\\%b'", false],
  ["'it\\'s' LIKE 'it\\'_'", true],
]);

table('casting functions', [
  ["INT('-1')", -1],
  ['INT(TRUE)', 1],
  ['INT(5)', 5],
  ["INT('x')", 0, 'cast'],
  ["INT('2147483648')", 0, 'cast'],
  ["BOOL('TrUe')", true],
  ['BOOL(0)', false],
  ['BOOL(100)', true],
  ["BOOL('x')", false, 'cast'],
  ['STRING(-1)', '-1'],
  ['STRING(TRUE)', 'true'],
  ["IS_INT('5')", true],
  ["IS_INT('x')", false],
  ["IS_BOOL('FALSE')", true],
  ["IS_BOOL('x')", false],
  ["int('1') + Int('2')", 3],
]);

table('functions', [
  ['ABS(-10)', 10],
  ["ABS('-10')", 10],
  ['ABS(-2147483648)', 2147483647, 'math'],
  ["ABS('x')", 0, 'cast'],
  ["LENGTH('')", 0],
  ['LENGTH(word)', 7],
  ['LENGTH(count)', 1],
  ['CONCAT()', ''],
  ["CONCAT('a', 1, TRUE)", 'a1true'],
  ["CONCAT_WS(', ', 'a', 1)", 'a, 1'],
  ["CONCAT_WS(',')", ''],
  ['CONCAT_WS(0, 1, 1)', '101'],
  ["LOWER('ÀB')", 'àb'],
  ["UPPER('àb')", 'ÀB'],
  ["TRIM('\u00a0\u2003\u0085 a b \t\n')", 'a b'],
  ["TRIM('\ufeff\u200ba')", '\ufeff\u200ba'],
  ["TRIM('  ')", ''],
  ["LEFT('abc', 2)", 'ab'],
  ["LEFT('abc', 0)", ''],
  ["LEFT('abc', 10)", 'abc'],
  ["LEFT('abc', -1)", 'abc', 'functionEvaluation'],
  ["LEFT('😊é', 1)", '😊'],
  ["RIGHT('abc', 2)", 'bc'],
  ["RIGHT('abc', 0)", ''],
  ["RIGHT('abc', 10)", 'abc'],
  ["RIGHT('abc', -1)", 'abc', 'functionEvaluation'],
  ["RIGHT('é😊', 1)", '😊'],
  ["RIGHT('😊', 0)", ''],
  ["LEFT('abc', 'x')", '', 'cast'],
  ["SUBSTRING('abcdef', 1)", 'abcdef'],
  ["SUBSTRING('abcdef', 6)", 'f'],
  ["SUBSTRING('abcdef', 7)", '', 'functionEvaluation'],
  ["SUBSTRING('abcdef', 0)", ''],
  ["SUBSTRING('abcdef', -6)", 'abcdef'],
  ["SUBSTRING('abcdef', -7)", '', 'functionEvaluation'],
  ["SUBSTRING('abcdef', 2, 3)", 'bcd'],
  ["SUBSTRING('abcdef', 2, 0)", ''],
  ["SUBSTRING('abcdef', 2, 100)", 'bcdef'],
  ["SUBSTRING('abcdef', -2, 1)", 'e'],
  ["SUBSTRING('abcdef', 2, -1)", '', 'functionEvaluation'],
  ["SUBSTRING('abcdef', 0, -1)", '', 'functionEvaluation'],
  ["SUBSTRING('', 0)", ''],
  ["SUBSTRING('', 1)", '', 'functionEvaluation'],
  ["SUBSTRING('x😊y', 2, 1)", '😊'],
  ["SUBSTRING('x😊y', -2)", '😊y'],
  ['FOO()', false, 'missingFunction'],
  ["LENGTH('a', 'b')", false, 'missingFunction'],
  ['CONCAT_WS()', false, 'missingFunction'],
  ['toString()', false, 'missingFunction'],
  ['FOO(missing) + 1', 0, 'missingFunction'],
  ["LEFT(LEFT('abcdef', 4), LENGTH(LEFT('ab', 2)))", 'ab'],
]);

describe('an expression', () => {
  test('tells where its error came up', () => {
    const { error } = compileCesql("TRUE AND\n   'é' = missing").evaluate(event);
    assert.deepEqual(error, {
      kind: 'missingAttribute',
      message: 'the event has no attribute "missing"',
      position: { line: 2, column: 10 },
    });
  });

  test('of ten thousand alternatives is evaluated', () => {
    const { test } = compileCesql(`${"type = 'x' OR ".repeat(9_999)} type = 'order'`);
    assert.equal(test(event), true);
  });

  test('groups AND, OR and XOR from the right', () => {
    const operators = fc.constantFrom('AND', 'OR', 'XOR');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), operators), { maxLength: 8 }), fc.boolean(), (chain, last) => {
        const plain = chain.map(([value, operator]) => `${value} ${operator} `).join('') + String(last);
        const grouped = chain.reduceRight((rest, [value, operator]) => `(${value} ${operator} ${rest})`, String(last));
        const { value } = compileCesql(plain).evaluate(event);
        assert.equal(value, compileCesql(grouped).evaluate(event).value);
        assert.equal(
          value,
          chain.reduceRight((rest, [value, operator]) => TRUTH[operator](value, rest), last),
        );
      }),
    );
  });
});

const TRUTH = {
  AND: (x: boolean, y: boolean) => x && y,
  OR: (x: boolean, y: boolean) => x || y,
  XOR: (x: boolean, y: boolean) => x !== y,
};
