import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compileLike } from './like.ts';

describe('LIKE', () => {
  const rows: [text: string, pattern: string, matches: boolean][] = [
    ['', '', true],
    ['a', '', false],
    ['', '%', true],
    ['', '%%', true],
    ['', '_', false],
    ['a', '_', true],
    ['ab', '_', false],
    ['ab', '__', true],
    ['abc', 'abc', true],
    ['ABC', 'abc', false],
    ['abc', 'ab', false],
    ['abc', 'bc', false],
    ['abc', 'a%', true],
    ['abc', '%c', true],
    ['abc', '%b%', true],
    ['abc', '%d%', false],
    ['abc', 'a%c', true],
    ['ac', 'a%c', true],
    ['a', 'a%a', false],
    ['aa', 'a%a', true],
    ['aba', 'ab%ba', false],
    ['abba', 'ab%ba', true],
    ['abcabc', '%abc', true],
    ['xabcyabc', 'x%abc', true],
    ['abab', '%ab%ab', true],
    ['ab', '%ab%ab', false],
    ['abcd', 'a_%d', true],
    ['ad', 'a_%d', false],
    ['abcd', '%_d', true],
    ['d', '%_d', false],
    ['abc', '%_%_%_%', true],
    ['ab', '%_%_%_%', false],
    ['aXbXc', '%b_c', true],
    ['100%', '100\\%', true],
    ['1000', '100\\%', false],
    ['%', '\\%', true],
    ['%a', '%', true],
    ['%a', '\\%%', true],
    ['a_b', 'a\\_b', true],
    ['azb', 'a\\_b', false],
    ['a\\b', 'a\\b', true],
    ['a\\', 'a\\', true],
    ['\\%', '\\\\%', true],
    ['\\x', '\\\\%', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['abc', '[a-c]%', false],
    ['a*', 'a*', true],
    ['line\nbreak', 'line%', true],
    ['line\nbreak', 'line_break', true],
    ['😊', '_', true],
    ['😊', '__', false],
    ['a😊b', 'a_b', true],
    ['😊😊', '%_😊', true],
    ['😊', '%😊', true],
    ['x😊', '%_', true],
    ['é', '_', true],
  ];
  for (const [text, pattern, matches] of rows) {
    test(`${JSON.stringify(text)} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(pattern)}`, () => {
      assert.equal(compileLike(pattern)(text), matches);
    });
  }

  test('says what the definition says, character by character', () => {
    const text = (...characters: string[]) => fc.string({ unit: fc.constantFrom(...characters), maxLength: 12 });
    fc.assert(
      fc.property(text('a', 'b', '😊'), text('a', 'b', '😊', '%', '_'), (text, pattern) => {
        assert.equal(compileLike(pattern)(text), matchesByDefinition(Array.from(text), Array.from(pattern)));
      }),
      { numRuns: 1000 },
    );
  });

  test('takes a text that would make a backtracking search explode', () => {
    const matches = compileLike(`${'%a_'.repeat(20)}%b`);
    assert.equal(matches('a'.repeat(20_000)), false);
    assert.equal(matches(`${'a'.repeat(20_000)}b`), true);
  });
});

/** By dynamic programming: which beginnings of the pattern match the text so far. Without escapes. */
function matchesByDefinition(text: string[], pattern: string[]): boolean {
  let row = [true];
  for (const [i, character] of pattern.entries()) row[i + 1] = row[i] === true && character === '%';
  for (const letter of text) {
    const next = [false];
    for (const [i, character] of pattern.entries()) {
      next[i + 1] =
        character === '%'
          ? next[i] === true || row[i + 1] === true
          : row[i] === true && (character === '_' || character === letter);
    }
    row = next;
  }
  return row[pattern.length] === true;
}
