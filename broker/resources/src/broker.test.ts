import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BROKER_CLASS, OUR_CLASS } from './broker.ts';
import { faultPathsOf, resourceOf } from './testing.ts';

const brokerText = (more: object = {}, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { name: 'default', ...metadata },
    ...more,
  });

describe('a broker', () => {
  test('needs no more than a name', () => {
    assert.deepEqual(resourceOf('Broker', brokerText()), {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'default', namespace: 'default', annotations: { [BROKER_CLASS]: OUR_CLASS } },
      spec: { delivery: { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' } },
    });
  });

  test('keeps the class that it names', () => {
    const text = brokerText({}, { annotations: { [BROKER_CLASS]: 'Kafka' } });
    assert.equal(resourceOf('Broker', text).metadata.annotations?.[BROKER_CLASS], 'Kafka');
  });

  test('that says how to deliver gets none of the default', () => {
    assert.deepEqual(resourceOf('Broker', brokerText({ spec: { delivery: { retry: 1 } } })).spec.delivery, {
      retry: 1,
    });
  });

  test('gives the references that it holds its namespace', () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' };
    const deadLetterSink = { ref: { apiVersion: 'v1', kind: 'Service', name: 'd' } };
    const { spec } = resourceOf(
      'Broker',
      brokerText({ spec: { config, delivery: { deadLetterSink } } }, { namespace: 'team' }),
    );
    assert.equal(spec.config?.namespace, 'team');
    assert.equal(spec.delivery.deadLetterSink?.ref?.namespace, 'team');
  });

  test('may not say what it does not know', () => {
    assert.deepEqual(faultPathsOf(brokerText({ spec: { retry: 1 }, data: {} })), ['data', 'spec.retry'].toReversed());
  });
});
