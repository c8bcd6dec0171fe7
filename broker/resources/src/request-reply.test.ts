import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultsOf, manifestOf, resourceOf, testRefusals } from './testing.ts';

const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'tickets' };

const text = (spec: object, metadata?: object) => manifestOf('RequestReply', { brokerRef: BROKER, ...spec }, metadata);

describe('a RequestReply', () => {
  test('needs no more than a broker', () => {
    const { metadata, spec } = resourceOf('RequestReply', text({}));
    assert.deepEqual(metadata.labels, { 'eventing.knative.dev/broker': 'tickets' });
    assert.deepEqual(spec, {
      brokerRef: BROKER,
      correlationAttribute: 'correlationid',
      replyAttribute: 'replyid',
      timeout: 'PT30S',
    });
  });

  test('may say everything, and gives the dead letter sink its namespace', () => {
    const dead = { apiVersion: 'v1', kind: 'Service', name: 'dead' };
    const spec = {
      brokerRef: { ...BROKER, kind: 'broker' },
      correlationAttribute: 'question',
      replyAttribute: 'answer2',
      timeout: 'PT5M',
      delivery: { deadLetterSink: { ref: dead } },
    };
    assert.deepEqual(resourceOf('RequestReply', text(spec, { namespace: 'team' })).spec, {
      ...spec,
      delivery: { deadLetterSink: { ref: { ...dead, namespace: 'team' } } },
    });
  });

  test('may change the two attributes about', () => {
    assert.deepEqual(faultsOf(text({ correlationAttribute: 'replyid', replyAttribute: 'correlationid' })), []);
  });

  const extension = 'expected the name of an extension: lower-case letters and digits, and no word of CESQL';
  const core = (field: string) =>
    `${field} must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)`;
  testRefusals(
    [
      [
        { brokerRef: undefined },
        'spec.brokerRef: missing field(s): spec.brokerRef: expected a reference: an object with kind and name, got nothing',
      ],
      [
        { brokerRef: { ...BROKER, kind: 'Channel' } },
        'spec.brokerRef.kind: invalid value: "Channel": brokerRef kind must be Broker: expected "Broker", got "Channel"',
      ],
      [
        { brokerRef: { ...BROKER, namespace: 'default' } },
        'spec.brokerRef.namespace: must not set the field(s): spec.brokerRef.namespace: expected none: the broker is in the same namespace, got "default"',
      ],
      ...['', 'id', 'type', 'specversion', 'source'].flatMap((name): [object, string][] => [
        [
          { correlationAttribute: name },
          `spec.correlationAttribute: invalid value: "${name}": ${core('correlationattribute')}: ${extension}, got "${name}"`,
        ],
        [
          { replyAttribute: name },
          `spec.replyAttribute: invalid value: "${name}": ${core('replyattribute')}: ${extension}, got "${name}"`,
        ],
      ]),
      ...['time', 'data', 'datacontenttype', 'dataschema', 'in', 'exists', 'replyId', 'reply-id', 'reply id'].map(
        (name): [object, string] => [
          { replyAttribute: name },
          `spec.replyAttribute: invalid value: "${name}": ${extension}, got "${name}"`,
        ],
      ),
      ...[
        [{ correlationAttribute: 'replyid' }, 'replyid'],
        [{ replyAttribute: 'correlationid' }, 'correlationid'],
        [{ correlationAttribute: 'a', replyAttribute: 'a' }, 'a'],
      ].map(([spec, name]): [object, string] => [
        spec as object,
        `spec.replyAttribute: expected another name than correlationAttribute, got "${name as string}"`,
      ]),
      ...['PT0S', '-PT1S'].map((timeout): [object, string] => [
        { timeout },
        `spec.timeout: invalid value: "${timeout}": expected an ISO-8601 period of more than zero, such as "PT0.2S" or "PT1M", got "${timeout}"`,
      ]),
      [{ delivery: { retry: -1 } }, 'spec.delivery.retry: invalid value: -1: expected an integer >= 0, got -1'],
    ],
    text,
  );
});
