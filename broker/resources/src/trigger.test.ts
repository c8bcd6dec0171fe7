import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultPathsOf, faultsOf, resourceOf, triggerText } from './testing.ts';
import { brokerOf, DELIVERY_ORDER, DEPENDENCY, dependencyOf, INJECTION } from './trigger.ts';

describe('a trigger', () => {
  test('gets the label of its broker and an empty filter', () => {
    const { metadata, spec } = resourceOf('Trigger', triggerText({}));
    assert.deepEqual(metadata.labels, { 'eventing.knative.dev/broker': 'default' });
    assert.deepEqual(spec.filter, {});
  });

  test('may name its broker by reference', () => {
    const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'other' };
    const trigger = resourceOf('Trigger', triggerText({ broker: undefined, brokerRef }));
    assert.equal(brokerOf(trigger), 'other');
    assert.equal(trigger.spec.brokerRef?.namespace, 'default');
  });

  test('names one broker, in its own namespace', () => {
    const brokerRef = { kind: 'Broker', name: 'other' };
    assert.deepEqual(faultsOf(triggerText({ broker: undefined })), [
      'spec.broker: missing field(s): spec.broker: expected the name of a broker, got nothing',
    ]);
    assert.deepEqual(faultsOf(triggerText({ brokerRef })), [
      'spec.brokerRef: expected exactly one, got both: spec.broker, spec.brokerRef: expected broker or brokerRef, got both',
    ]);
    assert.deepEqual(
      faultPathsOf(triggerText({ broker: undefined, brokerRef: { ...brokerRef, namespace: 'there' } })),
      ['spec.brokerRef.namespace'],
    );
  });

  test('needs a subscriber', () => {
    assert.deepEqual(faultPathsOf(triggerText({ subscriber: undefined })), ['spec.subscriber']);
  });

  test('may depend on a source beside it', () => {
    const source = { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource', name: 'tickets' };
    const depending = (on: unknown) => triggerText({}, { annotations: { [DEPENDENCY]: on } });
    assert.deepEqual(faultsOf(depending(JSON.stringify(source))), []);
    assert.deepEqual(dependencyOf(JSON.stringify({ ...source, namespace: 'a' }), 'a'), source);
    for (const not of [
      '',
      '{',
      '[]',
      'null',
      JSON.stringify({ ...source, name: '' }),
      JSON.stringify({ ...source, namespace: 'there' }),
    ]) {
      assert.deepEqual(faultPathsOf(depending(not)), [`metadata.annotations["${DEPENDENCY}"]`], not);
    }
  });

  test('may ask for injection of the default broker only', () => {
    const injecting = (value: string, spec = {}) => triggerText(spec, { annotations: { [INJECTION]: value } });
    assert.deepEqual(faultsOf(injecting('enabled')), []);
    assert.equal(faultPathsOf(injecting('yes')).length, 1);
    assert.equal(faultPathsOf(injecting('enabled', { broker: 'other' })).length, 1);
  });

  test('may ask for order', () => {
    const ordered = (value: string) => triggerText({}, { annotations: { [DELIVERY_ORDER]: value } });
    assert.deepEqual(faultsOf(ordered('ordered')), []);
    assert.equal(faultPathsOf(ordered('sorted')).length, 1);
  });
});
