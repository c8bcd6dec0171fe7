import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { CesqlFault } from './fault.ts';
import { parse } from './parser.ts';
import type { Tree } from './tree.ts';

/** The tree with a parenthesis around every operation, so that the grouping shows. */
function grouped(tree: Tree): string {
  switch (tree.kind) {
    case 'literal':
      return JSON.stringify(tree.value);
    case 'attribute':
      return tree.name;
    case 'exists':
      return `(EXISTS ${tree.name})`;
    case 'not':
      return `(NOT ${grouped(tree.operand)})`;
    case 'negate':
      return `(- ${grouped(tree.operand)})`;
    case 'arithmetic':
    case 'comparison':
      return `(${grouped(tree.left)} ${tree.operator} ${grouped(tree.right)})`;
    case 'logic':
      return `(${tree.operands.map((operand, i) => [grouped(operand), tree.operators[i] ?? ''].join(' ').trim()).join(' ')})`;
    case 'like':
      return `(${grouped(tree.operand)} ${tree.negated ? 'NOT ' : ''}LIKE ${JSON.stringify(tree.pattern)})`;
    case 'in':
      return `(${grouped(tree.operand)} ${tree.negated ? 'NOT ' : ''}IN [${tree.elements.map(grouped).join(', ')}])`;
    default:
      return `${tree.name}(${tree.arguments.map(grouped).join(', ')})`;
  }
}

describe('a CESQL expression is grouped', () => {
  const rows: [text: string, grouping: string][] = [
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 * 2 + 3', '((1 * 2) + 3)'],
    ['10 - 2 - 3', '((10 - 2) - 3)'],
    ['8 / 4 / 2 % 3', '(((8 / 4) / 2) % 3)'],
    ['10 - (2 - 3)', '(10 - (2 - 3))'],
    ['1 + 1 = 2', '((1 + 1) = 2)'],
    ['1 = 1 = TRUE', '((1 = 1) = true)'],
    ['a <> 1', '(a != 1)'],
    ['a = 1 AND b = 2', '((a = 1) AND (b = 2))'],
    ['a AND b OR c XOR d', '(a AND b OR c XOR d)'],
    ['(a AND b) OR c', '((a AND b) OR c)'],
    ['NOT a = b', '((NOT a) = b)'],
    ['NOT (a = b)', '(NOT (a = b))'],
    ['NOT NOT a', '(NOT (NOT a))'],
    ['NOT -a', '(NOT (- a))'],
    ['-NOT a', '(- (NOT a))'],
    ['-a * b', '((- a) * b)'],
    ["NOT a LIKE 'x'", '((NOT a) LIKE "x")'],
    ["-a LIKE 'x'", '((- a) LIKE "x")'],
    ["a + b LIKE 'x'", '(a + (b LIKE "x"))'],
    ["a NOT LIKE 'x' AND b", '((a NOT LIKE "x") AND b)'],
    ['a * b IN (1)', '(a * (b IN [1]))'],
    ['a NOT IN (1, b + 1, LOWER(c))', '(a NOT IN [1, (b + 1), LOWER(c)])'],
    ["a LIKE 'x' IN (TRUE)", '((a LIKE "x") IN [true])'],
    ["a IN (1) LIKE 'true'", '((a IN [1]) LIKE "true")'],
    ['EXISTS a AND NOT EXISTS b', '((EXISTS a) AND (NOT (EXISTS b)))'],
    ['EXISTS a = TRUE', '((EXISTS a) = true)'],
    ['exists 123', '(EXISTS 123)'],
    ['Type = Source', '(type = source)'],
    ['123abc = 1', '(123abc = 1)'],
    ['data', 'data'],
    ['left', 'left'],
    ['left (a, 1)', 'LEFT(a, 1)'],
    ['Concat_Ws(a)', 'CONCAT_WS(a)'],
    ['CONCAT()', 'CONCAT()'],
    ['LENGTH(a) + ABS(-1)', '(LENGTH(a) + ABS(-1))'],
    ['-10', '-10'],
    ['+10', '10'],
    ['--10', '(- -10)'],
    ['- 10', '(- 10)'],
    ['4-1', '(4 - 1)'],
    ['4 -1', '(4 - 1)'],
    ['4 - -1', '(4 - -1)'],
    ['4+1', '(4 + 1)'],
    ['-2147483648', '-2147483648'],
    ['007', '7'],
    ['tRuE aNd FALSE', '(true AND false)'],
    ['\t1\r\n+\n2 ', '(1 + 2)'],
    ['\'a\' = "b"', '("a" = "b")'],
    ["''", '""'],
    ["'it\\'s'", '"it\'s"'],
    ['"say \\"x\\""', '"say \\"x\\""'],
    ["'\\\\'", '"\\\\\\\\"'],
    ["'a\\%'", '"a\\\\%"'],
    ["'it''s'", '"it\'\'s"'],
    ["'AND'", '"AND"'],
    ["'a\nb'", '"a\\nb"'],
    ["'é😊'", '"é😊"'],
  ];
  for (const [text, grouping] of rows) {
    test(`${JSON.stringify(text)} as ${grouping}`, () => assert.equal(grouped(parse(text)), grouping));
  }
});

describe('a text is refused as CESQL', () => {
  const rows: [text: string, line: number, column: number, message: RegExp][] = [
    ['', 1, 1, /expected an attribute, a literal, a function or "\(", got the end of the expression/],
    ['ABC(', 1, 5, /got the end of the expression/],
    ['(1', 1, 3, /expected "\)" to close the parenthesis/],
    ['1)', 1, 2, /expected an operator or the end of the expression, got "\)"/],
    ['a b', 1, 3, /got "b"/],
    ['a =', 1, 4, /got the end/],
    ['= a', 1, 1, /got "="/],
    ['a == b', 1, 4, /got "="/],
    ['a AND', 1, 6, /got the end/],
    ['a && b', 1, 3, /got "&"/],
    ['a\n AND 😊', 2, 6, /expected a name, a literal or an operator, got "😊"/],
    ["'😊' ?", 1, 5, /got "\?"/],
    ["a = 'x", 1, 5, /expected a closing ' for the text that begins here/],
    ["a = 'x\\'", 1, 5, /expected a closing '/],
    ['a = "x', 1, 5, /expected a closing "/],
    ['2147483648', 1, 1, /expected an integer of 32 bits, .* got 2147483648/],
    ['1 = -2147483649', 1, 5, /got -2147483649/],
    ['- 2147483648', 1, 3, /32 bits/],
    ['1.5', 1, 2, /got "\."/],
    ['+ 1', 1, 3, /digits right after the plus sign/],
    ['a LIKE b', 1, 8, /expected a text in quotes, the pattern of LIKE, got "b"/],
    ['a LIKE 1', 1, 8, /pattern of LIKE/],
    ["a LIKE ('x')", 1, 8, /pattern of LIKE/],
    ['a NOT = b', 1, 7, /expected LIKE or IN after NOT, got "="/],
    ["a NOT 'LIKE'", 1, 7, /expected LIKE or IN after NOT, got "LIKE"/],
    ['a NOT b', 1, 7, /LIKE or IN after NOT/],
    ['a IN ()', 1, 7, /got "\)"/],
    ['a IN b', 1, 6, /expected "\(" before the set of IN/],
    ['a IN (1, )', 1, 10, /got "\)"/],
    ['a IN (1 2)', 1, 9, /expected "\)" or "," after an element of the list/],
    ['EXISTS', 1, 7, /an attribute name after EXISTS/],
    ["EXISTS 'a'", 1, 8, /an attribute name after EXISTS/],
    ['EXISTS (a)', 1, 8, /an attribute name after EXISTS/],
    ['my_attribute = 1', 1, 1, /an attribute name of letters and digits, got "my_attribute"/],
    ['FN1(a)', 1, 1, /a function name of letters and underscores/],
    ['_FN(a)', 1, 1, /a function name/],
    ['TRUE()', 1, 5, /got "\("/],
    ['AND', 1, 1, /got "AND"/],
    ['CONCAT(a,)', 1, 10, /got "\)"/],
  ];
  for (const [text, line, column, message] of rows) {
    test(`${JSON.stringify(text)} at line ${line}, column ${column}`, () => {
      assert.throws(
        () => parse(text),
        (fault) => {
          assert.ok(fault instanceof CesqlFault);
          assert.deepEqual(fault.position, { line, column });
          assert.match(fault.message, message);
          return true;
        },
      );
    });
  }

  const endless: [name: string, text: string][] = [
    ['parentheses', `${'('.repeat(10_000)}1${')'.repeat(10_000)}`],
    ['open parentheses', '('.repeat(10_000)],
    ['NOTs', `${'NOT '.repeat(10_000)}TRUE`],
    ['minus signs', `${'- '.repeat(10_000)}1`],
    ['calls', 'ABS('.repeat(10_000)],
    ['sets', 'a IN ('.repeat(10_000)],
    ['sums', `1${' + 1'.repeat(10_000)}`],
    ['comparisons', `1${' = 1'.repeat(10_000)}`],
    ['patterns', `a${" LIKE 'x'".repeat(10_000)}`],
    ['sums in nested sums', '('.repeat(200) + '1' + `${' + 1'.repeat(200)})`.repeat(200)],
  ];
  for (const [name, text] of endless) {
    test(`for 10,000 nested ${name}`, () => {
      assert.throws(() => parse(text), /nested at most 256 levels deep/);
    });
  }

  test('but not for being long: ten thousand alternatives are no nesting', () => {
    const tree = parse(`a = 0${' OR a = 1'.repeat(9_999)}`);
    assert.ok(tree.kind === 'logic');
    assert.equal(tree.operands.length, 10_000);
  });

  test('with nothing else than a CesqlFault, whatever the text', () => {
    const words = ['(', ')', ',', '=', '-', '+', '1', 'a', "'", '"', '\\', ' ', 'NOT ', 'IN', 'LIKE', 'EXISTS', 'AND '];
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...words) }));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof CesqlFault);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
