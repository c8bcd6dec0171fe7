import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const AGENT = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'agent' } };

const text = (spec: object, metadata?: object) => manifestOf('Map', { subscriber: AGENT, ...spec }, metadata);

describe('a Map', () => {
  test('needs no more than a subscriber', () => {
    assert.deepEqual(resourceOf('Map', text({})).spec, {
      itemsPath: '$',
      maxConcurrency: 0,
      toleratedFailures: 0,
      deadline: 'PT1H',
      subscriber: { ref: { ...AGENT.ref, namespace: 'default' } },
    });
  });

  test('may say everything, and gives the references that it holds its namespace', () => {
    const spec = { itemsPath: `$.order['all lines'][0]`, maxConcurrency: 4, toleratedFailures: 2, deadline: 'P1D' };
    const given = { ...spec, delivery: { deadLetterSink: AGENT }, reply: AGENT };
    const team = { ref: { ...AGENT.ref, namespace: 'team' } };
    assert.deepEqual(resourceOf('Map', text(given, { namespace: 'team' })).spec, {
      ...spec,
      subscriber: team,
      delivery: { deadLetterSink: team },
      reply: team,
    });
  });

  test('without a deadline gets one, and it is told', () => {
    assert.deepEqual(receiptsOf(text({})), ['spec has no deadline: PT1H is taken, then the Map fails']);
    assert.deepEqual(receiptsOf(text({ deadline: 'PT1M' })), []);
  });

  testRefusals(
    [
      [
        { subscriber: undefined },
        'spec.subscriber: missing field(s): spec.subscriber: expected a destination: an object with ref or uri, got nothing',
      ],
      [
        { itemsPath: 'order.lines' },
        `spec.itemsPath: expected a path of .name, ['name'] and [0] from "$", such as "$.order.lines", got "order.lines"`,
      ],
      [{ maxConcurrency: -1 }, 'spec.maxConcurrency: invalid value: -1: expected an integer >= 0, got -1'],
      [{ maxConcurrency: 1.5 }, 'spec.maxConcurrency: expected an integer >= 0, got 1.5'],
      [{ toleratedFailures: -1 }, 'spec.toleratedFailures: invalid value: -1: expected an integer >= 0, got -1'],
      [
        { deadline: 'PT0S' },
        'spec.deadline: invalid value: "PT0S": expected an ISO-8601 period of more than zero, such as "PT0.2S" or "PT1M", got "PT0S"',
      ],
    ],
    text,
  );
});
