import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CloudEvent } from '@millrace/event/event';
import { makeEvent } from '@millrace/event/event';
import * as fc from 'fast-check';
import { events, specs } from './arbitraries.ts';
import { FilterIndex } from './filter-index.ts';
import { compileFilter } from './filter.ts';
import type { FilterSpec } from './filter.ts';
import { requirements } from './requirements.ts';

const ascending = (x: number, y: number) => x - y;

function matches<T>(index: FilterIndex<T>, event: CloudEvent): T[] {
  const items: T[] = [];
  index.match(event, (item) => items.push(item));
  return items;
}

const event = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't7' }, undefined);

describe('the index of filters', () => {
  test('finds what a loop over all filters finds, also after some were removed and replaced', () => {
    const change = fc.record({ item: fc.nat(8), spec: fc.option(specs) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.array(events), (changes, events) => {
        const index = new FilterIndex<number>();
        const plain = new Map<number, FilterSpec>();
        for (const { item, spec } of changes) {
          if (spec === null) {
            assert.equal(index.remove(item), plain.delete(item));
          } else {
            index.add(requirements(spec), compileFilter(spec), item);
            plain.set(item, spec);
          }
        }
        assert.equal(index.size, plain.size);
        for (const event of events) {
          const expected = [...plain].filter(([, spec]) => compileFilter(spec)(event)).map(([item]) => item);
          assert.deepEqual(matches(index, event).toSorted(ascending), expected.toSorted(ascending));
        }
      }),
    );
  });

  test('asks one filter only among a thousand that each require another type', () => {
    const index = new FilterIndex<number>();
    let asked = 0;
    for (let item = 0; item < 1000; item++) {
      const spec = { exact: { type: `t${item}` } };
      const filter = compileFilter(spec);
      index.add(requirements(spec), (event) => (asked++, filter(event)), item);
    }
    assert.deepEqual(matches(index, event), [7]);
    assert.equal(asked, 1);
  });

  test('asks one filter only among a thousand that each require another source of one type', () => {
    const index = new FilterIndex<number>();
    let asked = 0;
    for (let item = 0; item < 1000; item++) {
      index.add({ type: 't7', source: item === 3 ? '/s' : `/s/${item}` }, () => ++asked > 0, item);
    }
    assert.deepEqual(matches(index, event), [3]);
    assert.equal(asked, 1);
  });

  test('lets items be removed while it is read', () => {
    const index = new FilterIndex<string>();
    for (const item of ['a', 'b', 'c']) index.add({ type: 't7' }, () => true, item);
    const seen: string[] = [];
    index.match(event, (item) => {
      seen.push(item);
      index.remove(item);
    });
    assert.deepEqual(seen, ['a', 'b', 'c']);
    assert.deepEqual(matches(index, event), []);
    assert.equal(index.size, 0);
  });
});
