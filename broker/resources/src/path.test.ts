import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromPointer, join, steps } from './path.ts';

describe('a path', () => {
  test('is written as people write it', () => {
    assert.equal(['spec', 'filters', 0, 'exact'].reduce(join, ''), 'spec.filters[0].exact');
    assert.equal(join('metadata.annotations', 'a.b/c'), 'metadata.annotations["a.b/c"]');
  });

  test('can be taken apart into the steps it was made of, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.nat(), fc.constantFrom('spec', '__proto__', '"', ']'))), (way) => {
        assert.deepEqual(steps(way.reduce(join, '')), way);
      }),
    );
  });

  test('of a JSON pointer tells an item from a field that is named by a number', () => {
    assert.equal(fromPointer('/list/1/a~1b~0c', { list: [0, { 'a/b~c': 1 }] }), 'list[1]["a/b~c"]');
    assert.equal(fromPointer('/map/1', { map: { 1: 0 } }), 'map["1"]');
  });
});
