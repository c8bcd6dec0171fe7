import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KEY_TYPE, keyTypeOf } from './kafka-source.ts';
import { faultPathsOf, faultsOf, resourceOf } from './testing.ts';

const sourceText = (spec: object = {}, more: object = {}, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: 'sources.knative.dev/v1',
    kind: 'KafkaSource',
    metadata: { name: 'tickets', ...metadata },
    spec: { bootstrapServers: ['kafka:9092'], topics: ['tickets'], sink: { uri: 'http://agent' }, ...spec },
    ...more,
  });

describe('a KafkaSource', () => {
  test('reads the latest, in order, by one consumer of a group of its own, and retries', () => {
    assert.deepEqual(resourceOf('KafkaSource', sourceText({}, {}, { namespace: 'team' })).spec, {
      bootstrapServers: ['kafka:9092'],
      topics: ['tickets'],
      consumerGroup: 'knative-kafka-source-team-tickets',
      consumers: 1,
      initialOffset: 'latest',
      ordering: 'ordered',
      delivery: { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.3S', timeout: 'PT600S' },
      sink: { uri: 'http://agent' },
    });
  });

  test('means the same in v1beta1', () => {
    assert.deepEqual(
      resourceOf('KafkaSource', sourceText({}, { apiVersion: 'sources.knative.dev/v1beta1' })).spec,
      resourceOf('KafkaSource', sourceText()).spec,
    );
  });

  test('may say how to connect, and what to set on its events', () => {
    const secret = (key: string) => ({ secretKeyRef: { name: 'kafka', key } });
    const net = {
      sasl: { enable: true, type: secret('type'), user: secret('user'), password: secret('password') },
      tls: { enable: true, caCert: secret('ca.crt'), cert: secret('user.crt'), key: secret('user.key') },
    };
    assert.deepEqual(faultsOf(sourceText({ net, ceOverrides: { extensions: { team: 'a' } } })), []);
  });

  test('has keys of text unless its label says otherwise', () => {
    const labelled = (type: string) => sourceText({}, {}, { labels: { [KEY_TYPE]: type } });
    assert.equal(keyTypeOf(resourceOf('KafkaSource', sourceText())), 'string');
    assert.equal(keyTypeOf(resourceOf('KafkaSource', labelled('byte-array'))), 'byte-array');
    assert.deepEqual(faultPathsOf(labelled('json')), [`metadata.labels["${KEY_TYPE}"]`]);
  });

  for (const [spec, path] of [
    [{ bootstrapServers: [] }, 'spec.bootstrapServers'],
    [{ bootstrapServers: 'kafka:9092' }, 'spec.bootstrapServers'],
    [{ topics: [''] }, 'spec.topics[0]'],
    [{ topics: undefined }, 'spec.topics'],
    [{ sink: undefined }, 'spec.sink'],
    [{ consumers: -1 }, 'spec.consumers'],
    [{ initialOffset: 'newest' }, 'spec.initialOffset'],
    [{ ordering: 'sorted' }, 'spec.ordering'],
    [{ delivery: { format: 'json' } }, 'spec.delivery.format'],
    [{ consumerGroup: '' }, 'spec.consumerGroup'],
    [{ ceOverrides: { extensions: { Team: 'a' } } }, 'spec.ceOverrides.extensions.Team'],
    [{ net: { sasl: { password: 'hunter2' } } }, 'spec.net.sasl.password'],
  ] as const) {
    test(`may not have ${JSON.stringify(spec)}`, () => {
      const text = sourceText(spec);
      assert.deepEqual(faultPathsOf(text), [path]);
      assert.ok(!faultsOf(text).join('').includes('hunter2'));
    });
  }
});
