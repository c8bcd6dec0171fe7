import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultsOf, manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const TRIGGER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 'a' };
const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
const BROKERS = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker' };

const text = (spec: object, metadata?: object) => manifestOf('EventPolicy', spec, metadata);

describe('an EventPolicy', () => {
  const accepted: readonly object[] = [
    {},
    { to: [], from: [], filters: [] },
    { from: [{ sub: '*' }] },
    { from: [{ sub: 'system:serviceaccount:default:*' }, { ref: { ...TRIGGER, namespace: 'other' } }] },
    { to: [{ ref: BROKER }, { selector: { ...BROKERS, matchLabels: { team: 'blue' } } }] },
    { to: [{ selector: { ...BROKERS, matchExpressions: [{ key: 'team', operator: 'In', values: ['blue'] }] } }] },
    { to: [{ selector: { ...BROKERS, matchExpressions: [{ key: 'team', operator: 'Exists' }] } }] },
    { filters: [{ exact: { type: 'a' } }, { not: { cesql: "source LIKE '%b'" } }] },
  ];
  for (const spec of accepted) {
    test(`may have ${JSON.stringify(spec)}`, () => assert.deepEqual(faultsOf(text(spec)), []));
  }

  test('gives references that send its namespace', () => {
    const { spec } = resourceOf('EventPolicy', text({ from: [{ ref: TRIGGER }] }, { namespace: 'team' }));
    assert.equal(spec.from?.[0]?.ref?.namespace, 'team');
  });

  test('tells of a selector that selects nothing', () => {
    assert.deepEqual(receiptsOf(text({ to: [{ selector: { matchLabels: { a: 'b' } } }] })), [
      'spec.to[0].selector has no apiVersion or no kind: it selects nothing',
    ]);
  });

  testRefusals(
    [
      [
        { from: [{}] },
        'spec.from[0]: expected exactly one, got neither: spec.from[0].ref, spec.from[0].sub: expected ref or sub, got neither',
      ],
      [
        { from: [{ sub: '' }] },
        'spec.from[0]: expected exactly one, got neither: spec.from[0].ref, spec.from[0].sub: expected ref or sub, got neither',
      ],
      [
        { from: [{ ref: TRIGGER, sub: 'a' }] },
        'spec.from[0]: expected exactly one, got both: spec.from[0].ref, spec.from[0].sub: expected ref or sub, got both',
      ],
      [
        { from: [{ sub: 'a*c' }] },
        `spec.from[0].sub: invalid value: a*c: '*' is only allowed as suffix: expected a subject, or the beginning of some with * after it, got "a*c"`,
      ],
      [
        { from: [{ sub: '**' }] },
        `spec.from[0].sub: invalid value: **: '*' is only allowed as suffix: expected a subject, or the beginning of some with * after it, got "**"`,
      ],
      ...(['apiVersion', 'kind', 'name'] as const).map(
        (field) =>
          [
            { from: [{ ref: { ...TRIGGER, [field]: undefined } }] },
            `spec.from[0].ref.${field}: missing field(s): spec.from[0].ref.${field}: expected a non-empty text, got nothing`,
          ] as const,
      ),
      ...(['apiVersion', 'kind', 'name'] as const).map(
        (field) =>
          [
            { to: [{ ref: { ...BROKER, [field]: undefined } }] },
            `spec.to[0].ref.${field}: missing field(s): spec.to[0].ref.${field}: expected a non-empty text, got nothing`,
          ] as const,
      ),
      [
        { to: [{}] },
        'spec.to[0]: expected exactly one, got neither: spec.to[0].ref, spec.to[0].selector: expected ref or selector, got neither',
      ],
      [
        { to: [{ ref: BROKER, selector: { ...BROKERS } }] },
        'spec.to[0]: expected exactly one, got both: spec.to[0].ref, spec.to[0].selector: expected ref or selector, got both',
      ],
      [
        { to: [{ selector: { ...BROKERS, matchExpressions: [{ key: 'a', operator: 'In', values: [] }] } }] },
        `spec.to[0].selector.matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn': expected a list of at least one text, got an empty list`,
      ],
      [
        { to: [{ selector: { ...BROKERS, matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }] },
        `spec.to[0].selector.matchExpressions[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist': expected no values, got a list`,
      ],
    ],
    text,
  );

  test('may not name an operator that there is not, nor another field', () => {
    const selector = { ...BROKERS, matchExpressions: [{ key: 'a', operator: 'Is' }] };
    assert.match(faultsOf(text({ to: [{ selector }] }))[0]!, /operator: .*"In", "NotIn", "Exists"/);
    assert.match(faultsOf(text({ to: [{ ref: { ...BROKER, namespace: 'a' } }] }))[0]!, /to\[0\]\.ref\.namespace/);
    assert.match(faultsOf(text({ filters: [{ exact: { type: '' } }] }))[0]!, /spec\.filters\[0\]\.exact/);
  });
});
