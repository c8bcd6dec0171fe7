import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const SEARCH = { ref: { kind: 'Service', name: 'web-search' } };

const text = (spec: object, metadata?: object) => manifestOf('Sequence', { steps: [SEARCH], ...spec }, metadata);

describe('a Sequence', () => {
  test('has steps that are destinations with a delivery, and a reply', () => {
    const steps = [{ ...SEARCH, delivery: { retry: 1, deadLetterSink: SEARCH } }, { uri: 'http://agent/' }];
    const { spec } = resourceOf('Sequence', text({ steps, reply: SEARCH }, { namespace: 'team' }));
    const team = { ref: { ...SEARCH.ref, namespace: 'team' } };
    assert.deepEqual(spec.steps, [{ ...team, delivery: { retry: 1, deadLetterSink: team } }, { uri: 'http://agent/' }]);
    assert.deepEqual(spec.reply, team);
  });

  test('tells how a step without apiVersion is looked for', () => {
    assert.deepEqual(receiptsOf(text({})), [
      'spec.steps[0].ref has no apiVersion: kind Service is looked for in serving.knative.dev/v1',
    ]);
  });

  testRefusals(
    [
      [
        { steps: undefined },
        'spec.steps: missing field(s): spec.steps: expected a list of at least one step, got nothing',
      ],
      [
        { steps: [] },
        'spec.steps: missing field(s): spec.steps: expected a list of at least one step, got an empty list',
      ],
      [
        { steps: [SEARCH, { delivery: { retry: 1 } }] },
        'spec.steps[1]: expected at least one, got none: ref, uri: expected a ref or a uri, got neither',
      ],
      [
        { steps: [{ uri: '/search' }] },
        'spec.steps[0].uri: invalid value: "/search": expected an absolute URL with a host, as there is no ref, got "/search"',
      ],
      [
        { steps: [{ ...SEARCH, delivery: { timeout: 'PT0S' } }] },
        'spec.steps[0].delivery.timeout: invalid value: "PT0S": expected an ISO-8601 period of more than zero, such as "PT0.2S" or "PT1M", got "PT0S"',
      ],
      [
        { steps: [{ subscriber: SEARCH }] },
        'spec.steps[0]: expected at least one, got none: ref, uri: expected a ref or a uri, got neither',
        'spec.steps[0].subscriber: unknown field "spec.steps[0].subscriber": expected one of ref, uri, CACerts, audience, delivery, got "subscriber"',
      ],
      [{ reply: {} }, 'spec.reply: expected at least one, got none: ref, uri: expected a ref or a uri, got neither'],
    ],
    text,
  );
});
