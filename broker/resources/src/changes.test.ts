import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { immutableFaults } from './changes.ts';
import { KINDS } from './kinds.ts';
import type { KindName } from './kinds.ts';
import { readManifest } from './manifest.ts';
import type { AnyResource } from './any-resource.ts';

const resource = (kind: KindName, more: object, metadata: object = {}): AnyResource => {
  const [apiVersion] = KINDS[kind].apiVersions;
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

  test('a Channel keeps its template and its delivery', () => {
    const channel = (spec: object) => resource('Channel', { spec });
    const channelTemplate = { apiVersion: 'messaging.knative.dev/v1', kind: 'KafkaChannel' };
    assert.deepEqual(immutableFaults(channel({}), channel({ subscribers: [] })), []);
    assert.deepEqual(
      immutableFaults(channel({}), channel({ channelTemplate, delivery: { retry: 1 } })).map(({ path }) => path),
      ['spec.channelTemplate', 'spec.delivery'],
    );
  });

  test('a KafkaChannel keeps what its topic was made with; its delivery may change', () => {
    const channel = (spec: object) => resource('KafkaChannel', { spec });
    assert.deepEqual(immutableFaults(channel({}), channel({ delivery: { retry: 1 }, numPartitions: 1 })), []);
    const other = { numPartitions: 2, replicationFactor: 3, retentionDuration: 'PT1H' };
    assert.deepEqual(
      immutableFaults(channel({}), channel(other)).map(({ path, message }) => `${path}: ${message}`),
      Object.entries({
        numPartitions: [1, 2],
        replicationFactor: [1, 3],
        retentionDuration: ['"PT168H"', '"PT1H"'],
      }).map(
        ([field, [was, is]]) =>
          `spec.${field}: Immutable fields changed (-old +new): spec: expected ${was} as before (delete it and create it anew to change it), got ${is}`,
      ),
    );
  });

  test('an InMemoryChannel keeps nothing', () => {
    const channel = (spec: object) => resource('InMemoryChannel', { spec });
    assert.deepEqual(immutableFaults(channel({}), channel({ delivery: { retry: 1 } })), []);
  });

  test('a Subscription keeps its channel; all else may change', () => {
    const named = (name: string, spec: object) => {
      const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name };
      return resource('Subscription', { spec: { channel, subscriber: { uri: 'http://a' }, ...spec } });
    };
    const other = { subscriber: { uri: 'http://b' }, reply: { uri: 'http://c' }, delivery: { retry: 1 } };
    assert.deepEqual(immutableFaults(named('tickets', {}), named('tickets', other)), []);
    assert.deepEqual(
      immutableFaults(named('tickets', {}), named('mails', {})).map(({ path }) => path),
      ['spec.channel'],
    );
  });

  test('flows may change as a whole', () => {
    const sequence = (...hosts: string[]) =>
      resource('Sequence', { spec: { steps: hosts.map((host) => ({ uri: `http://${host}` })) } });
    assert.deepEqual(immutableFaults(sequence('a', 'b'), sequence('b', 'c', 'd')), []);
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
