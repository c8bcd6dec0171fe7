import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manifestOf, resourceOf, testRefusals } from './testing.ts';

const AGENT = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'agent' } };
const BRANCH = { subscriber: AGENT };

const text = (spec: object, metadata?: object) => manifestOf('Parallel', { branches: [BRANCH], ...spec }, metadata);

describe('a Parallel', () => {
  test('has branches with a filter that is a service, a reply and a delivery', () => {
    const branch = { ...BRANCH, filter: AGENT, reply: AGENT, delivery: { retry: 1, deadLetterSink: AGENT } };
    const { spec } = resourceOf('Parallel', text({ branches: [branch], reply: AGENT }, { namespace: 'team' }));
    const team = { ref: { ...AGENT.ref, namespace: 'team' } };
    assert.deepEqual(spec.branches, [
      { subscriber: team, filter: team, reply: team, delivery: { retry: 1, deadLetterSink: team } },
    ]);
    assert.deepEqual(spec.reply, team);
  });

  test('may filter in the bus, as a Trigger does', () => {
    const filters = [{ any: [{ prefix: { type: 'com.' } }, { not: { cesql: 'EXISTS urgent' } }] }];
    const { spec } = resourceOf('Parallel', text({ branches: [{ ...BRANCH, filters }] }));
    assert.deepEqual(spec.branches[0]?.filters, filters);
  });

  testRefusals(
    [
      [
        { branches: undefined },
        'spec.branches: missing field(s): spec.branches: expected a list of at least one branch, got nothing',
      ],
      [
        { branches: [] },
        'spec.branches: missing field(s): spec.branches: expected a list of at least one branch, got an empty list',
      ],
      [
        { branches: [BRANCH, {}] },
        'spec.branches[1].subscriber: missing field(s): spec.branches[1].subscriber: expected a destination: an object with ref or uri, got nothing',
      ],
      [
        { branches: [{ ...BRANCH, filter: AGENT, filters: [{ exact: { type: 'a' } }] }] },
        'spec.branches[0].filters: expected filter (a service) or filters (in the bus), got both',
      ],
      [
        { branches: [{ ...BRANCH, filters: [{ exact: { type: '' } }] }] },
        'spec.branches[0].filters[0].exact.type: invalid value: "": expected a non-empty text, got ""',
      ],
      [
        { branches: [{ ...BRANCH, filter: { exact: { type: 'a' } } }] },
        'spec.branches[0].filter: expected at least one, got none: ref, uri: expected a ref or a uri, got neither',
        'spec.branches[0].filter.exact: unknown field "spec.branches[0].filter.exact": expected one of ref, uri, CACerts, audience, got "exact"',
      ],
      [{ reply: {} }, 'spec.reply: expected at least one, got none: ref, uri: expected a ref or a uri, got neither'],
    ],
    text,
  );
});
