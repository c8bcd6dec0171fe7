import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JOIN, JOIN_DEADLINE, JOIN_FAILURES, joinOf } from './join.ts';
import { faultsOf, manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const BRANCH = { subscriber: { uri: 'http://agent' } };

const text = (annotations: object, branches: readonly object[] = [BRANCH, BRANCH, BRANCH]) =>
  manifestOf('Parallel', { branches }, { annotations });
const joinSaidBy = (annotations: object) => joinOf(resourceOf('Parallel', text(annotations)).metadata.annotations);

describe('a join', () => {
  test('is there only when it is asked for', () => {
    assert.equal(joinSaidBy({}), undefined);
    assert.equal(joinOf(undefined), undefined);
    assert.deepEqual(receiptsOf(text({})), []);
  });

  for (const [annotations, join] of [
    [{ [JOIN]: 'all' }, { wanted: 'all', deadlineMs: 600_000, failures: 'complete' }],
    [
      { [JOIN]: 'first', [JOIN_FAILURES]: 'complete' },
      { wanted: 'first', deadlineMs: 600_000, failures: 'complete' },
    ],
    [
      { [JOIN]: '1', [JOIN_DEADLINE]: 'PT1.5S', [JOIN_FAILURES]: 'fail' },
      { wanted: 1, deadlineMs: 1500, failures: 'fail' },
    ],
    [
      { [JOIN]: '3', [JOIN_DEADLINE]: 'P1D' },
      { wanted: 3, deadlineMs: 86_400_000, failures: 'complete' },
    ],
  ] as const) {
    test(`may be said as ${JSON.stringify(annotations)}`, () => assert.deepEqual(joinSaidBy(annotations), join));
  }

  test('without a deadline gets one, and it is told', () => {
    assert.deepEqual(receiptsOf(text({ [JOIN]: 'all' })), [
      `the join has no ${JOIN_DEADLINE}: PT10M is taken, then it goes on with what has come`,
    ]);
    assert.deepEqual(receiptsOf(text({ [JOIN]: 'all', [JOIN_DEADLINE]: 'PT1M' })), []);
  });

  test('may be a number without quotes', () => {
    assert.deepEqual(faultsOf(text({ [JOIN]: 2 })), []);
    assert.equal(joinSaidBy({ [JOIN]: 2 })?.wanted, 2);
  });

  test('takes the answers of the branches, so that none of them has a reply', () => {
    const branches = [BRANCH, { ...BRANCH, reply: { uri: 'http://elsewhere' } }];
    assert.deepEqual(faultsOf(text({}, branches)), []);
    assert.deepEqual(faultsOf(text({ [JOIN]: 'all' }, branches)), [
      'spec.branches[1].reply: expected no reply of its own: the join takes the answers of the branches, got an object',
    ]);
  });

  test('of branches that are none is not told twice', () => {
    assert.deepEqual(faultsOf(text({ [JOIN]: 'all' }, [])), [
      'spec.branches: missing field(s): spec.branches: expected a list of at least one branch, got an empty list',
    ]);
  });

  const at = (name: string) => `metadata.annotations["${name}"]`;
  testRefusals(
    [
      ...['4', '0', '-1', '1.5', '2 ', 'any', 'ALL', ''].map((wanted): [object, string] => [
        { [JOIN]: wanted },
        `${at(JOIN)}: expected "all", "first", or a number from 1 to 3, as text, got "${wanted}"`,
      ]),
      ...['PT0S', '-PT1M', '10m', ''].map((deadline): [object, string] => [
        { [JOIN]: 'all', [JOIN_DEADLINE]: deadline },
        `${at(JOIN_DEADLINE)}: expected an ISO-8601 period of more than zero, such as "PT5M", got "${deadline}"`,
      ]),
      [
        { [JOIN]: 'all', [JOIN_FAILURES]: 'ignore' },
        `${at(JOIN_FAILURES)}: expected "complete" or "fail", got "ignore"`,
      ],
      [
        { [JOIN_DEADLINE]: 'PT1M', [JOIN_FAILURES]: 'fail' },
        `${at(JOIN_DEADLINE)}: expected ${JOIN} beside it, got no join`,
        `${at(JOIN_FAILURES)}: expected ${JOIN} beside it, got no join`,
      ],
    ],
    text,
  );
});
