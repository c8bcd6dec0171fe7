import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import * as fc from 'fast-check';

import { events, specs } from './arbitraries.ts';
import { explainFilter } from './explain.ts';
import type { Explanation } from './explain.ts';
import type { FilterSpec } from './filter.ts';
import { needsOf } from './needs.ts';

const event = makeEvent({ specversion: '1.0', id: '1', source: '/shop', type: 'order', amount: 5 }, undefined);
const needs = (spec: FilterSpec) => needsOf(explainFilter(spec, event))?.map((it) => it.message);

describe('what would have to differ', () => {
  const rows: [name: string, spec: FilterSpec, needed: string[] | undefined][] = [
    ['is nothing where it matches', { exact: { type: 'order' } }, []],
    ['is what fails of several', { exact: { type: 'order', source: '/b' } }, ['source must be "/b" (it is "/shop")']],
    [
      'is the smallest way out of several',
      { any: [{ exact: { type: 'x', source: '/b' } }, { prefix: { subject: 'eu-' } }] },
      ['subject must be text that begins with "eu-" (the event has none)'],
    ],
    ['turns around below not', { not: { exact: { type: 'order' } } }, ['type must not be "order"']],
    [
      'is each leaf of a CESQL expression that must change',
      { cesql: "type = 'order' AND (amount > 10 OR region = 'eu')" },
      [
        'amount > 10 must be true (false; amount is 5)',
        `region = 'eu' must be false (the event has no attribute "region"; region is nothing)`,
      ],
    ].with(2, ['amount > 10 must be true (false; amount is 5)']) as [string, FilterSpec, string[]],
    [
      'is an operand that fails before the one that decides',
      { cesql: "region = 'eu' OR type = 'order'" },
      [`region = 'eu' must be true (the event has no attribute "region"; region is nothing)`],
    ],
    [
      'is not what comes after an operand that fails then',
      { not: { cesql: "type = 'order' OR region = 'eu'" } },
      [`type = 'order' must be false (true; type is "order")`],
    ],
    [
      'is one of the operands of XOR',
      { cesql: "type = 'order' XOR amount = 5" },
      ['amount = 5 must be false (true; amount is 5)'],
    ],
    ['is nothing that could be where no event passes', { cesql: "type = 'order' AND 1 = 2" }, undefined],
    [
      'is said once',
      { all: [{ exact: { type: 'a' } }, { any: [{ exact: { type: 'a' } }] }] },
      ['type must be "a" (it is "order")'],
    ],
  ];
  for (const [name, spec, needed] of rows) test(name, () => assert.deepEqual(needs(spec), needed));

  test('is enough, and no smaller set is', () => {
    fc.assert(
      fc.property(specs, events, (spec, event) => {
        const explanation = explainFilter(spec, event);
        const leaves = changeableLeaves(explanation);
        fc.pre(leaves.length <= 10);
        const least = fewestChanges(explanation, leaves);
        const found = needsOf(explanation);
        assert.equal(found === undefined, least === undefined);
        if (found === undefined || least === undefined) return;
        // What is said twice counts once.
        assert.ok(found.length <= least, `${found.length} > ${least}`);
        assert.equal(outcome(explanation, new Map()), explanation.matched);
        const changed = leaves.flatMap((leaf) => {
          const need = found.find((it) => it.path === leaf.path && it.expression === leaf.part?.expression);
          return need === undefined ? [] : ([[leaf, need.matched]] as const);
        });
        const isEachItsOwn = new Set(leaves.map((it) => `${it.dialect} ${it.message}`)).size === leaves.length;
        if (isEachItsOwn) assert.equal(outcome(explanation, new Map(changed)), true);
      }),
      { numRuns: 3_000 },
    );
  });
});

function changeableLeaves(explanation: Explanation): Explanation[] {
  if (explanation.children.length > 0) return explanation.children.flatMap(changeableLeaves);
  return explanation.part?.constant === true || explanation.dialect === 'none' ? [] : [explanation];
}

/** By trying: each leaf as it is, or turned to true or false. */
function fewestChanges(explanation: Explanation, leaves: readonly Explanation[]): number | undefined {
  let least: number | undefined;
  const search = (index: number, changed: Map<Explanation, boolean>): void => {
    if (least !== undefined && changed.size >= least) return;
    if (outcome(explanation, changed) === true) least = changed.size;
    if (index === leaves.length) return;
    search(index + 1, changed);
    for (const to of [true, false]) {
      if (outcome(leaves[index]!, new Map(), leaves[index]!.part !== undefined) === to) continue;
      search(index + 1, new Map([...changed, [leaves[index]!, to]]));
    }
  };
  search(0, new Map());
  return least;
}

/** What the filter would say with leaves changed; undefined stands for an error of CESQL. */
function outcome(node: Explanation, changed: ReadonlyMap<Explanation, boolean>, isPart = false): boolean | undefined {
  const { children, dialect, part } = node;
  if (changed.has(node)) return changed.get(node);
  if (children.length === 0) return part?.failed === true && isPart ? undefined : node.matched;
  const values = children.map((it) => outcome(it, changed, part !== undefined));
  if (part === undefined) {
    if (dialect === 'not') return values[0] !== true;
    return dialect === 'any' ? values.includes(true) : values.every((it) => it === true);
  }
  const decided = part.operator === 'OR';
  let result: boolean | undefined;
  switch (part.operator) {
    case 'NOT':
      result = values[0] === undefined ? undefined : !values[0];
      break;
    case 'XOR':
      result = values.includes(undefined) ? undefined : values.filter(Boolean).length % 2 === 1;
      break;
    default: {
      const first = values.findIndex((it) => it === undefined || it === decided);
      result = first < 0 ? !decided : values[first];
    }
  }
  return result === undefined && !isPart ? false : result;
}
