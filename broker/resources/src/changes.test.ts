import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { immutableFaults } from './changes.ts';
import { readManifest } from './manifest.ts';
import type { AnyResource } from './any-resource.ts';

const resource = (kind: string, more: object, metadata: object = {}): AnyResource => {
  const apiVersion =
    kind === 'KafkaSource'
      ? 'sources.knative.dev/v1'
      : kind === 'Secret' || kind === 'ConfigMap'
        ? 'v1'
        : 'eventing.knative.dev/v1';
  const text = JSON.stringify({ apiVersion, kind, metadata: { name: 'a', ...metadata }, ...more });
  const [declared] = readManifest(text, 'f').declared;
  assert.ok(declared, text);
  return declared.resource;
};

const CLASS = 'eventing.knative.dev/broker.class';
const broker = (spec: object, brokerClass = 'Millrace') =>
  resource('Broker', { spec }, { annotations: { [CLASS]: brokerClass } });
const trigger = (spec: object) =>
  resource('Trigger', { spec: { broker: 'default', subscriber: { uri: 'http://a' }, ...spec } });
const kafka = (spec: object) =>
  resource('KafkaSource', { spec: { bootstrapServers: ['k'], topics: ['t'], sink: { uri: 'http://a' }, ...spec } });

describe('between two versions', () => {
  test('a broker keeps its class and its config; its delivery may change', () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' };
    assert.deepEqual(immutableFaults(broker({ config }), broker({ config, delivery: { retry: 1 } })), []);
    assert.deepEqual(
      immutableFaults(broker({ config }), broker({ config: { ...config, name: 'd' } }, 'Kafka')).map(
        ({ path, message }) => `${path}: ${message}`,
      ),
      [
        `metadata.annotations["${CLASS}"]: Immutable annotations changed (-old +new): annotations: expected "Millrace" as before (delete it and create it anew to change it), got "Kafka"`,
        'spec.config: Immutable fields changed (-old +new): spec: expected an object as before (delete it and create it anew to change it), got an object',
      ],
    );
  });

  test('a trigger keeps its broker; all else may change', () => {
    assert.deepEqual(immutableFaults(trigger({}), trigger({ subscriber: { uri: 'http://b' }, filters: [] })), []);
    assert.deepEqual(
      immutableFaults(trigger({}), trigger({ broker: 'other' })).map(({ path }) => path),
      ['spec.broker'],
    );
  });

  test('a KafkaSource keeps its consumer group', () => {
    assert.deepEqual(immutableFaults(kafka({}), kafka({ topics: ['u'], consumers: 3 })), []);
    assert.deepEqual(
      immutableFaults(kafka({}), kafka({ consumerGroup: 'g' })).map(({ path }) => path),
      ['spec.consumerGroup'],
    );
  });

  test('a Secret that was declared immutable keeps its data, and does not show it', () => {
    const before = { stringData: { a: 'hunter2' } };
    const after = { stringData: { a: 'hunter3' } };
    assert.deepEqual(immutableFaults(resource('Secret', before), resource('Secret', after)), []);
    const faults = immutableFaults(resource('Secret', { ...before, immutable: true }), resource('Secret', after));
    assert.deepEqual(
      faults.map(({ path }) => path),
      ['stringData', 'immutable'],
    );
    assert.ok(!JSON.stringify(faults).includes('hunter'));
  });

  test('two different resources cannot be compared', () => {
    assert.throws(() => immutableFaults(trigger({}), broker({})), TypeError);
  });
});
