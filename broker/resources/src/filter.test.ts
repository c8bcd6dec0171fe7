import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultPathsOf, faultsOf, receiptsOf, resourceOf, triggerText } from './testing.ts';

const withFilter = (filter: unknown) => triggerText({ filters: [filter] });

describe('a filter', () => {
  for (const filter of [
    { exact: { type: 'a', source: 'b' } },
    { prefix: { type: 'a.' } },
    { suffix: { type: '.b' } },
    { all: [{ exact: { type: 'a' } }, { any: [{ not: { prefix: { source: '/x' } } }] }] },
    { cesql: "type = 'a'" },
  ]) {
    test(`may be ${JSON.stringify(filter)}, and stays so`, () => {
      assert.deepEqual(resourceOf('Trigger', withFilter(filter)).spec.filters, [filter]);
    });
  }

  for (const [filter, path] of [
    [{ exact: { type: 'a' }, prefix: { type: 'a' } }, 'spec.filters[0]'],
    [{ exact: {} }, 'spec.filters[0].exact'],
    [{ exact: { type: '' } }, 'spec.filters[0].exact.type'],
    [{ suffix: { Type: 'a' } }, 'spec.filters[0].suffix.Type'],
    [{ prefix: { '1a': 'a' } }, 'spec.filters[0].prefix["1a"]'],
    [{ all: [] }, 'spec.filters[0].all'],
    [{ any: [] }, 'spec.filters[0].any'],
    [{ any: [{ all: [{ not: { no: 'x' } }] }] }, 'spec.filters[0].any[0].all[0].not.no'],
    [{ cesql: ' ' }, 'spec.filters[0].cesql'],
    [{ cesql: `'${'a'.repeat(20_000)}' = 'a'` }, 'spec.filters[0].cesql'],
    [{ sql: 'true' }, 'spec.filters[0].sql'],
    ['type = a', 'spec.filters[0]'],
  ] as const) {
    test(`may not be ${JSON.stringify(filter).slice(0, 60)}`, () => {
      assert.ok(faultPathsOf(withFilter(filter)).includes(path));
    });
  }

  test('without a dialect lets everything pass, and that is said', () => {
    assert.deepEqual(faultsOf(withFilter({})), []);
    assert.deepEqual(receiptsOf(withFilter({ not: {} })), [
      'spec.filters[0].not has no dialect: it lets everything pass',
    ]);
  });

  test('with a number where a text is wanted has the text', () => {
    assert.deepEqual(resourceOf('Trigger', withFilter({ exact: { level: 5 } })).spec.filters, [
      { exact: { level: '5' } },
    ]);
  });
});

describe('the older filter', () => {
  test('may want an attribute to be present, by an empty text', () => {
    assert.deepEqual(faultsOf(triggerText({ filter: { attributes: { type: 'a', subject: '' } } })), []);
  });

  test('may not name what is no attribute', () => {
    const text = triggerText({ filter: { attributes: { 'my-type': 'a' } } });
    assert.deepEqual(faultPathsOf(text), ['spec.filter.attributes.my-type']);
  });

  test('beside newer filters is ignored, and that is said', () => {
    const both = { filter: { attributes: { type: 'a' } }, filters: [{ exact: { type: 'b' } }] };
    assert.deepEqual(receiptsOf(triggerText(both)), ['spec.filters is given, so spec.filter is ignored']);
    assert.deepEqual(receiptsOf(triggerText({ ...both, filters: [] })), []);
  });
});
