import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { isTemplateFault, parseTemplate } from './template.ts';

describe('a template', () => {
  test('holds texts and the places of values, in order', () => {
    assert.deepEqual(parseTemplate('github.{headers.X-GitHub-Event}.{body.action}'), [
      { text: 'github.' },
      { from: 'headers', path: ['x-github-event'] },
      { text: '.' },
      { from: 'body', path: ['action'] },
    ]);
    assert.deepEqual(parseTemplate('{body.items.0.the id}{query.q.x}'), [
      { from: 'body', path: ['items', '0', 'the id'] },
      { from: 'query', path: ['q.x'] },
    ]);
    assert.deepEqual(parseTemplate(''), []);
  });

  test('means a brace by two', () => {
    assert.deepEqual(parseTemplate('{{{body.a}}}'), [{ text: '{' }, { from: 'body', path: ['a'] }, { text: '}' }]);
  });

  test('of any text with its braces doubled is that text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[{}a.]*$/)), (text) => {
        const parts = parseTemplate(text.replaceAll(/[{}]/g, '$&$&'));
        assert.deepEqual(parts, text === '' ? [] : [{ text }]);
      }),
    );
  });

  for (const [text, offset] of [
    ['a{', 1],
    ['a}', 1],
    ['{foo}', 0],
    ['{}', 0],
    ['x{body}', 1],
    ['{body.}', 0],
    ['{body..a}', 0],
    ['{body.a{b}', 0],
    ['{headers.a b}', 0],
    ['{query.}', 0],
    ['{query.a..b}', 0],
  ] as const) {
    test(`${text} is none, because of what stands at ${offset}`, () => {
      const parsed = parseTemplate(text);
      assert.ok(isTemplateFault(parsed));
      assert.equal(parsed.offset, offset);
    });
  }

  test('or a fault comes of any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[{}.abodyheaders]*$/), (text) => {
        const parsed = parseTemplate(text);
        if (isTemplateFault(parsed)) assert.ok('{}'.includes(text[parsed.offset] ?? 'none'));
      }),
    );
  });
});
