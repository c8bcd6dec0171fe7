import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEvent } from '@millrace/event/event';
import * as fc from 'fast-check';
import { compileFilter, FilterFault } from './filter.ts';
import type { FilterSpec } from './filter.ts';

const event = makeEvent(
  {
    specversion: '1.0',
    id: 'id-1',
    source: '/shop/eu',
    type: 'com.shop.order.created',
    datacontenttype: 'application/json; charset=utf-8',
    region: 'eu',
    amount: 5,
    paid: true,
    note: '',
  },
  undefined,
);

/** As a declaration comes in: the types do not hold yet. */
const compile = (spec: unknown, path?: string) => compileFilter(spec as FilterSpec, path);

const YES = { exact: { region: 'eu' } };
const NO = { exact: { region: 'us' } };

describe('a filter', () => {
  const rows: [spec: object, passes: boolean][] = [
    [{ exact: { type: 'com.shop.order.created' } }, true],
    [{ exact: { type: 'com.shop.order' } }, false],
    [{ exact: { type: 'COM.SHOP.ORDER.CREATED' } }, false],
    [{ exact: { type: 'com.shop.order.created', region: 'eu' } }, true],
    [{ exact: { type: 'com.shop.order.created', region: 'us' } }, false],
    [{ exact: { amount: '5' } }, true],
    [{ exact: { paid: 'true' } }, true],
    [{ exact: { paid: 'TRUE' } }, false],
    [{ exact: { subject: 'x' } }, false],
    [{ exact: { absent: 'x' } }, false],
    [{ exact: { data: 'x' } }, false],
    [{ exact: { datamediatype: 'application/json' } }, true],
    [{ exact: { specversion: '1.0' } }, true],
    [{ prefix: { type: 'com.shop.' } }, true],
    [{ prefix: { type: 'com.shop.order.created' } }, true],
    [{ prefix: { type: 'shop.' } }, false],
    [{ prefix: { type: 'com.', source: '/shop' } }, true],
    [{ prefix: { type: 'com.', source: '/other' } }, false],
    [{ prefix: { amount: '5' } }, true],
    [{ prefix: { subject: 'x' } }, false],
    [{ suffix: { type: '.created' } }, true],
    [{ suffix: { type: '.CREATED' } }, false],
    [{ suffix: { type: '.deleted' } }, false],
    [{ suffix: { paid: 'rue' } }, true],
    [{ suffix: { absent: 'x' } }, false],
    [{ all: [YES] }, true],
    [{ all: [YES, YES] }, true],
    [{ all: [YES, NO] }, false],
    [{ all: [{}, NO] }, false],
    [{ all: [{}] }, true],
    [{ any: [NO] }, false],
    [{ any: [NO, YES] }, true],
    [{ any: [NO, NO] }, false],
    [{ any: [NO, {}] }, false],
    [{ any: [{}] }, true],
    [{ not: YES }, false],
    [{ not: NO }, true],
    [{ not: { not: YES } }, true],
    [{ not: { exact: { absent: 'x' } } }, true],
    [{ not: {} }, true],
    [{ not: { all: [{}] } }, true],
    [{}, true],
    [{ exact: {} }, true],
    [{ exact: null }, true],
    [{ exact: null, prefix: { type: 'net' } }, false],
    [{ cesql: '' }, true],
    [{ cesql: "type LIKE 'com.%' AND amount = 5" }, true],
    [{ cesql: 'paid' }, true],
    [{ cesql: 'amount' }, false],
    [{ cesql: "'true'" }, false],
    [{ cesql: 'absent' }, false],
    [{ cesql: 'absent = 1 OR TRUE' }, false],
    [{ cesql: "NOT 'abc'" }, false],
    [{ all: [{ prefix: { type: 'com' } }, { any: [NO, { not: NO }] }, { cesql: 'EXISTS region' }] }, true],
  ];
  for (const [spec, passes] of rows) {
    test(`${JSON.stringify(spec)} ${passes ? 'passes' : 'does not pass'}`, () => {
      assert.equal(compile(spec)(event), passes);
    });
  }

  test('gives the same answer each time, also after an error', () => {
    const filter = compile({ cesql: "region = 'eu' AND LEFT(region, amount) = 'eu'" });
    const other = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, undefined);
    assert.deepEqual([event, other, event, other].map(filter), [true, false, true, false]);
  });
});

describe('a filter is refused', () => {
  const deep = (levels: number): unknown => (levels === 0 ? YES : { not: deep(levels - 1) });
  const rows: [name: string, spec: unknown, path: string, message: RegExp][] = [
    ['when it is no object', 'type=x', '', /expected a filter object .* got "type=x"/],
    ['when it is a list', [YES], '', /got a list/],
    [
      'for an unknown dialect',
      { exactly: {} },
      'exactly',
      /expected one of exact, prefix, suffix, all, any, not, cesql/,
    ],
    ['for a dialect in another case', { all: [{ Exact: { type: 'x' } }] }, 'all[0].Exact', /got "Exact"/],
    ['for several dialects in one object', { any: [YES, { ...YES, cesql: 'TRUE' }] }, 'any[1]', /got exact and cesql/],
    ['for an empty value in exact', { exact: { type: '' } }, 'exact.type', /"EXISTS type"/],
    ['for an empty value in prefix', { prefix: { type: '' } }, 'prefix.type', /not empty/],
    ['for an empty value in suffix', { not: { suffix: { type: '' } } }, 'not.suffix.type', /not empty/],
    ['for a value that is no text', { exact: { amount: 5 } }, 'exact.amount', /got 5\. Write the value in quotes/],
    ['for attributes that are no object', { exact: 'type' }, 'exact', /attribute names with their values/],
    ['for an attribute name that is none', { exact: { 's-pace-s': 'x' } }, 'exact["s-pace-s"]', /begins with a letter/],
    ['for an attribute name in upper case', { prefix: { Type: 'x' } }, 'prefix.Type', /got "Type"/],
    ['for an empty all', { all: [] }, 'all', /at least one filter, got an empty list/],
    ['for an empty any', { not: { any: [] } }, 'not.any', /at least one filter/],
    ['for an all that is no list', { all: YES }, 'all', /got an object/],
    ['for a not that is no object', { not: [] }, 'not', /got an empty list/],
    ['for CESQL that is no text', { cesql: true }, 'cesql', /got true/],
    ['for CESQL that cannot be read', { all: [YES, { cesql: 'a =\n  )' }] }, 'all[1].cesql', /at line 2, column 3/],
    ['for CESQL of white space', { cesql: ' ' }, 'cesql', /got the end of the expression at line 1, column 2/],
    [
      'for an unknown function',
      { cesql: 'a = FOO(1)' },
      'cesql',
      /got FOO with 1 argument at line 1, column 5\. Use one/,
    ],
    ['for a function with wrong arguments', { cesql: 'LEFT(a)' }, 'cesql', /expected LEFT\(String, Integer\), got/],
    ['for CONCAT_WS without arguments', { cesql: 'CONCAT_WS()' }, 'cesql', /expected CONCAT_WS\(String, String …\)/],
    ['for the function of RequestReply', { cesql: 'kn_verify_correlation_id(a)' }, 'cesql', /comes with RequestReply/],
    ['when it is nested too deep', deep(64), '.not'.repeat(64).slice(1), /nested at most 64 levels deep/],
  ];
  for (const [name, spec, path, message] of rows) {
    test(name, () => {
      assert.throws(
        () => compile(spec),
        (fault) => {
          assert.ok(fault instanceof FilterFault);
          assert.equal(fault.path, path);
          assert.match(fault.message, message);
          return true;
        },
      );
    });
  }

  test('and the path goes on from the place that was handed in', () => {
    assert.throws(() => compile({ all: [{}, { cesql: '(' }] }, '[0]'), { path: '[0].all[1].cesql' });
    assert.throws(() => compile({ all: [{}, { cesql: '(' }] }, '[0]'), { position: { line: 1, column: 2 } });
  });

  test('but never with anything else than a FilterFault, whatever is declared', () => {
    const dialects = fc.constantFrom('exact', 'prefix', 'suffix', 'all', 'any', 'not', 'cesql', 'type', '__proto__');
    const { spec } = fc.letrec((tie) => ({
      spec: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.array(tie('spec')), fc.dictionary(dialects, tie('spec'))),
    }));
    fc.assert(
      fc.property(spec, (spec) => {
        try {
          assert.equal(typeof compile(spec)(event), 'boolean');
        } catch (error) {
          assert.ok(error instanceof FilterFault);
        }
      }),
    );
  });

  test('also when what came is nested as deep as a parser lets it', () => {
    const levels = 100_000;
    const nested: unknown = JSON.parse('{"not":'.repeat(levels) + '{}' + '}'.repeat(levels));
    assert.throws(() => compile(nested), FilterFault);
    assert.throws(() => compile({ exact: { type: nested } }), FilterFault);
  });
});
