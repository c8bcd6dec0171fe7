import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const AGENT = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'agent' } };
const URGENT = { filters: [{ exact: { type: 'urgent' } }], subscriber: AGENT };

const text = (spec: object, metadata?: object) =>
  manifestOf('Choice', { choices: [URGENT], default: { subscriber: AGENT }, ...spec }, metadata);

describe('a Choice', () => {
  test('gives the references that it holds its namespace', () => {
    const delivery = { retry: 1, deadLetterSink: AGENT };
    const { spec } = resourceOf(
      'Choice',
      text(
        { choices: [{ ...URGENT, delivery }], default: { subscriber: AGENT, delivery }, reply: AGENT },
        { namespace: 'team' },
      ),
    );
    const team = { ref: { ...AGENT.ref, namespace: 'team' } };
    const taken = { subscriber: team, delivery: { retry: 1, deadLetterSink: team } };
    assert.deepEqual(spec, { choices: [{ filters: URGENT.filters, ...taken }], default: taken, reply: team });
  });

  test('without a default tells that some events end there', () => {
    assert.deepEqual(receiptsOf(text({})), []);
    assert.deepEqual(receiptsOf(text({ default: undefined })), [
      'spec has no default: an event that no choice takes ends there',
    ]);
  });

  testRefusals(
    [
      [
        { choices: undefined },
        'spec.choices: missing field(s): spec.choices: expected a list of at least one choice, got nothing',
      ],
      [
        { choices: [] },
        'spec.choices: missing field(s): spec.choices: expected a list of at least one choice, got an empty list',
      ],
      [
        { choices: [{ subscriber: AGENT }] },
        'spec.choices[0].filters: missing field(s): spec.choices[0].filters: expected a list of at least one filter, got nothing',
      ],
      [
        { choices: [{ ...URGENT, filters: [] }] },
        'spec.choices[0].filters: missing field(s): spec.choices[0].filters: expected a list of at least one filter, got an empty list',
      ],
      [
        { choices: [{ ...URGENT, filters: [{ exact: { type: 'a' }, cesql: 'TRUE' }] }] },
        'spec.choices[0].filters[0]: multiple dialects found, filters can have only one dialect set: expected exactly one of exact, prefix, suffix, all, any, not, cesql, got exact and cesql',
      ],
      [
        { choices: [{ filters: URGENT.filters }] },
        'spec.choices[0].subscriber: missing field(s): spec.choices[0].subscriber: expected a destination: an object with ref or uri, got nothing',
      ],
      [
        { default: {} },
        'spec.default.subscriber: missing field(s): spec.default.subscriber: expected a destination: an object with ref or uri, got nothing',
      ],
      [
        { default: URGENT },
        'spec.default.filters: unknown field "spec.default.filters": expected one of subscriber, delivery, got "filters"',
      ],
    ],
    text,
  );
});
