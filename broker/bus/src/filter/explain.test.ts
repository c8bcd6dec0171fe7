import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEvent } from '@millrace/event/event';
import * as fc from 'fast-check';
import { events, specs } from './arbitraries.ts';
import { explainFilter } from './explain.ts';
import type { Explanation } from './explain.ts';
import { compileFilter } from './filter.ts';
import type { FilterSpec } from './filter.ts';

const event = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 'order', amount: 5 }, undefined);

describe('the explanation of a filter', () => {
  test('says of every event what the filter says, on every branch', () => {
    const agree = (explanation: Explanation): void => {
      explanation.children.forEach(agree);
      const matched = explanation.children.map((child) => child.matched);
      if (explanation.dialect === 'all') assert.equal(explanation.matched, !matched.includes(false));
      if (explanation.dialect === 'any') assert.equal(explanation.matched, matched.includes(true));
      if (explanation.dialect === 'not') assert.deepEqual(matched, [!explanation.matched]);
      assert.notEqual(explanation.message, '');
    };
    fc.assert(
      fc.property(specs, events, (spec, event) => {
        const explanation = explainFilter(spec, event);
        assert.equal(explanation.matched, compileFilter(spec)(event));
        agree(explanation);
      }),
    );
  });

  test('names the attribute, what was expected and what the event has', () => {
    assert.deepEqual(
      explainFilter({ all: [{ not: { prefix: { type: 'ord' } } }, { exact: { region: 'eu' } }] }, event),
      {
        dialect: 'all',
        path: 'all',
        matched: false,
        attribute: undefined,
        expected: '2 matches',
        got: '0',
        message: '0 of 2 match',
        children: [
          {
            dialect: 'not',
            path: 'all[0].not',
            matched: false,
            attribute: undefined,
            expected: 'no match',
            got: 'a match',
            message: 'what must not match matches',
            children: [
              {
                dialect: 'prefix',
                path: 'all[0].not.prefix.type',
                matched: true,
                attribute: 'type',
                expected: 'text that begins with "ord"',
                got: '"order"',
                message: 'type is "order"',
                children: [],
              },
            ],
          },
          {
            dialect: 'exact',
            path: 'all[1].exact.region',
            matched: false,
            attribute: 'region',
            expected: '"eu"',
            got: 'nothing',
            message: 'region: expected "eu", got nothing',
            children: [],
          },
        ],
      },
    );
  });

  test('counts how many attributes match', () => {
    const { matched, message } = explainFilter({ exact: { type: 'order', source: '/other' } }, event);
    assert.deepEqual({ matched, message }, { matched: false, message: '1 of 2 match' });
  });

  const rows: [cesql: string, message: string][] = [
    ["type = 'order'", 'the expression is true; type is "order"'],
    ['amount < 5', 'the expression is false; amount is 5'],
    ['amount', 'the expression is 5; amount is 5'],
    [
      "TRUE AND\n  subject = 'x'",
      'missingAttribute at line 2, column 3: the event has no attribute "subject"; subject is nothing',
    ],
    ['amount / 0 = 1', 'math at line 1, column 8: division by zero; amount is 5'],
  ];
  for (const [cesql, message] of rows) {
    test(`of CESQL ${JSON.stringify(cesql)} is ${JSON.stringify(message)}`, () => {
      assert.equal(explainFilter({ cesql }, event).message, message);
    });
  }

  test('of no filter says that there is none', () => {
    const nothing = {} as FilterSpec;
    assert.equal(explainFilter(nothing, event).dialect, 'none');
    assert.equal(explainFilter(nothing, event).matched, true);
  });
});
