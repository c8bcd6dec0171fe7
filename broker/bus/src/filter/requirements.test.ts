import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { events, specs } from './arbitraries.ts';
import { compileFilter } from './filter.ts';
import type { FilterSpec } from './filter.ts';
import { requirements } from './requirements.ts';

describe('the requirements of a filter', () => {
  const type: FilterSpec = { exact: { type: 't' } };
  const source: FilterSpec = { exact: { source: '/s', region: 'eu' } };
  const rows: [spec: FilterSpec, expected: object][] = [
    [type, { type: 't' }],
    [source, { source: '/s' }],
    [{ all: [type, source] }, { type: 't', source: '/s' }],
    [{ all: [{ cesql: 'TRUE' }, { all: [{ prefix: { type: 'a' } }, type] }] }, { type: 't' }],
    [{ any: [type] }, { type: 't' }],
    [{ any: [type, source] }, {}],
    [{ not: type }, {}],
    [{ prefix: { type: 't' } }, {}],
    [{ cesql: "type = 't'" }, {}],
  ];
  for (const [spec, expected] of rows) {
    test(`${JSON.stringify(spec)} are ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(requirements(spec), expected);
    });
  }

  test('are met by every event that passes', () => {
    fc.assert(
      fc.property(specs, events, (spec, event) => {
        fc.pre(compileFilter(spec)(event));
        const { type = event.type, source = event.source } = requirements(spec);
        assert.deepEqual([event.type, event.source], [type, source]);
      }),
    );
  });
});
