import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultsOf, manifestOf, resourceOf, testRefusals } from './testing.ts';

const CHANNEL = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'tickets' };
const AGENT = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'agent' } };

const text = (spec: object, metadata?: object) =>
  manifestOf('Subscription', { channel: CHANNEL, subscriber: AGENT, ...spec }, metadata);

describe('a Subscription', () => {
  test('gives the references that it holds its namespace', () => {
    const team = { ref: { ...AGENT.ref, namespace: 'team' } };
    const delivery = { retry: 2, deadLetterSink: AGENT };
    assert.deepEqual(resourceOf('Subscription', text({ reply: AGENT, delivery }, { namespace: 'team' })).spec, {
      channel: { ...CHANNEL, namespace: 'team' },
      subscriber: team,
      reply: team,
      delivery: { retry: 2, deadLetterSink: team },
    });
  });

  test('may name its own namespace, as a server shows it', () => {
    const said = (namespace: string) => text({ channel: { ...CHANNEL, namespace } }, { namespace: 'team' });
    assert.deepEqual(faultsOf(said('team')), []);
    assert.deepEqual(faultsOf(said('there')), [
      `spec.channel.namespace: must not set the field(s): spec.channel.namespace: expected no namespace, or the subscription's own, got "there"`,
    ]);
    assert.deepEqual(faultsOf(text({ channel: { ...CHANNEL, namespace: 'default' } })), []);
  });

  testRefusals(
    [
      [
        { channel: undefined },
        'spec.channel: missing field(s): spec.channel: expected a reference: an object with kind and name, got nothing',
      ],
      [
        { channel: { kind: 'Channel', name: 'tickets' } },
        'spec.channel.apiVersion: missing field(s): spec.channel.apiVersion: expected the apiVersion of the channel, got nothing',
      ],
      [
        { channel: { ...CHANNEL, kind: undefined } },
        'spec.channel.kind: missing field(s): spec.channel.kind: expected a non-empty text, got nothing',
      ],
      [
        { channel: { ...CHANNEL, name: undefined } },
        'spec.channel.name: missing field(s): spec.channel.name: expected a non-empty text, got nothing',
      ],
      [
        { subscriber: undefined },
        'spec.subscriber: missing field(s): spec.subscriber: expected a destination: an object with ref or uri, got nothing',
      ],
      [
        { subscriber: {} },
        'spec.subscriber: expected at least one, got none: ref, uri: expected a ref or a uri, got neither',
      ],
      [{ reply: {} }, 'spec.reply: expected at least one, got none: ref, uri: expected a ref or a uri, got neither'],
      [
        { delivery: { backoffPolicy: 'linearly' } },
        'spec.delivery.backoffPolicy: invalid value: "linearly": expected one of "linear", "exponential", got "linearly"',
      ],
    ],
    text,
  );
});
