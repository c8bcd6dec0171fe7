import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMerge } from './strategic-merge.ts';

describe('a JSON merge patch (the cases of RFC 7386, appendix A)', () => {
  const cases: readonly [target: unknown, patch: unknown, result: unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of cases) {
    test(`${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(mergePatch(target, patch), result);
    });
  }
});

describe('a JSON patch', () => {
  const cases: readonly [what: string, document: unknown, patch: unknown, result: unknown][] = [
    ['adds a field', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds an item', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['adds at the end', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['removes', { a: { b: 1, c: 2 } }, [{ op: 'remove', path: '/a/b' }], { a: { c: 2 } }],
    ['replaces an item', { a: [1, 2] }, [{ op: 'replace', path: '/a/0', value: 3 }], { a: [3, 2] }],
    ['moves', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [
      'copies',
      { a: [1] },
      [
        { op: 'copy', from: '/a', path: '/b' },
        { op: 'add', path: '/b/-', value: 2 },
      ],
      { a: [1], b: [1, 2] },
    ],
    ['tests', { 'a/b': { '~': [1] } }, [{ op: 'test', path: '/a~1b/~0', value: [1] }], { 'a/b': { '~': [1] } }],
    ['replaces the document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
  ];
  for (const [what, document, patch, result] of cases) {
    test(what, () => {
      const before = structuredClone(document);
      assert.deepEqual(jsonPatch(document, patch), result);
      assert.deepEqual(document, before, 'what was given is as it was');
    });
  }

  for (const [what, patch, message] of [
    ['no list', {}, /a list of operations/],
    ['no operation', [1], /expected an operation at \[0\]/],
    ['an unknown operation', [{ op: 'swap', path: '/a' }], /expected one of add/],
    ['a test that fails', [{ op: 'test', path: '/a', value: 2 }], /testing value \/a failed/],
    ['nothing there to remove', [{ op: 'remove', path: '/b' }], /there is nothing at \/b/],
    ['a way through what holds nothing', [{ op: 'add', path: '/a/b', value: 1 }], /holds neither/],
    ['an item beyond the end', [{ op: 'add', path: '/l/3', value: 1 }], /no item 3/],
    ['an item with a zero before', [{ op: 'add', path: '/l/01', value: 1 }], /no item 01/],
    ['no pointer', [{ op: 'add', path: 'a', value: 1 }], /expected a JSON pointer/],
    ['a prototype', [{ op: 'add', path: '/__proto__/x', value: 1 }], /there is nothing at/],
  ] as const) {
    test(`is refused: ${what}`, () => assert.throws(() => jsonPatch({ a: 1, l: [1] }, patch), { message }));
  }
});

describe('a strategic merge patch', () => {
  const keys = { list: 'name', set: '' };
  const cases: readonly [what: string, target: object, patch: object, result: object][] = [
    [
      'merges items by their key',
      { list: [{ name: 'a', x: 1 }] },
      { list: [{ name: 'a', y: 2 }, { name: 'b' }] },
      { list: [{ name: 'a', x: 1, y: 2 }, { name: 'b' }] },
    ],
    [
      'deletes an item',
      { list: [{ name: 'a' }, { name: 'b' }] },
      { list: [{ name: 'a', $patch: 'delete' }] },
      { list: [{ name: 'b' }] },
    ],
    [
      'replaces a list',
      { list: [{ name: 'a' }] },
      { list: [{ $patch: 'replace' }, { name: 'b' }] },
      { list: [{ name: 'b' }] },
    ],
    [
      'adds to a set, and takes out of it',
      { set: [1, 2] },
      { set: [2, 3], '$deleteFromPrimitiveList/set': [1] },
      { set: [2, 3] },
    ],
    ['replaces an object', { map: { a: 1 } }, { map: { $patch: 'replace', b: 2 } }, { map: { b: 2 } }],
    [
      'keeps only some fields',
      { map: { a: 1, b: 2 } },
      { map: { $retainKeys: ['b', 'c'], c: 3 } },
      { map: { b: 2, c: 3 } },
    ],
    [
      'replaces lists of which nothing is said',
      { other: [1] },
      { other: [2], '$setElementOrder/list': [] },
      { other: [2] },
    ],
    ['removes', { a: 1 }, { a: null }, {}],
  ];
  for (const [what, target, patch, result] of cases) {
    test(what, () => assert.deepEqual(strategicMerge(target as never, patch as never, keys), result));
  }

  test('is refused with an unknown directive', () => {
    assert.throws(() => strategicMerge({}, { $patch: 'swap' }, keys), /unknown directive/);
    assert.throws(() => strategicMerge({}, { $oops: 1 }, keys), /unknown directive/);
  });
});
