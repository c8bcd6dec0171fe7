import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { KINDS, schemaOf } from './kinds.ts';
import type { KindName } from './kinds.ts';
import { manifestOf, resourceOf, triggerText } from './testing.ts';

const AGENT = { ref: { kind: 'Service', name: 'agent' } };

// What each kind cannot do without, and references that defaults complete.
const SPECS: Readonly<Record<Exclude<KindName, 'Secret' | 'ConfigMap'>, object>> = {
  Broker: { delivery: { deadLetterSink: AGENT } },
  Trigger: { brokerRef: { kind: 'Broker', name: 'default' }, subscriber: AGENT },
  Service: { template: { spec: { containers: [{ image: 'agent' }] } } },
  KafkaSource: { bootstrapServers: ['kafka:9092'], topics: ['tickets'], sink: AGENT },
  Channel: { delivery: { deadLetterSink: AGENT } },
  InMemoryChannel: { delivery: { deadLetterSink: AGENT } },
  KafkaChannel: { delivery: { deadLetterSink: AGENT } },
  Subscription: { channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'a' }, subscriber: AGENT },
  Sequence: { steps: [AGENT], reply: AGENT },
  Parallel: { branches: [{ subscriber: AGENT, filter: AGENT }], reply: AGENT },
  Choice: { choices: [{ filters: [{ cesql: 'TRUE' }], subscriber: AGENT }], default: { subscriber: AGENT } },
  Map: { subscriber: AGENT, reply: AGENT },
  EventTransform: { jsonata: { expression: '$' }, sink: AGENT, reply: { discard: true } },
  EventPolicy: {
    from: [{ ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 'a' } }],
    filters: [{ cesql: 'TRUE' }],
  },
  RequestReply: { brokerRef: { kind: 'Broker', name: 'default' } },
  EventType: { type: 'order', reference: { kind: 'Broker', name: 'default' } },
  WebhookSource: { sink: AGENT },
  ApiServerSource: { resources: [{ apiVersion: 'v1', kind: 'Event' }], sink: AGENT },
  PingSource: { sink: AGENT },
  ContainerSource: { template: { spec: { containers: [{ name: 'a', image: 'a' }] } }, sink: AGENT },
  SinkBinding: { subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, sink: AGENT },
  IntegrationSource: { timer: { message: 'hello' }, sink: AGENT },
  IntegrationSink: { log: {} },
  JobSink: { job: {} },
  KafkaSink: { topic: 'tickets', bootstrapServers: ['kafka:9092'] },
};

describe('a complete resource', () => {
  for (const [kind, spec] of Object.entries(SPECS) as [KindName, object][]) {
    test(`${kind}: can be said again, with what a server adds, and means the same`, () => {
      const complete = resourceOf(kind, manifestOf(kind, spec, { namespace: 'team' }));
      const metadata = { ...complete.metadata, uid: 'a', resourceVersion: '7', generation: 1 };
      const shown = JSON.stringify({ ...complete, metadata, status: { conditions: [] } });
      assert.deepEqual(resourceOf(kind, shown), complete);
    });
  }
});

describe('the schema of a kind', () => {
  for (const kind of Object.keys(KINDS) as KindName[]) {
    test(`${kind}: is plain JSON that any validator takes`, () => {
      const schema = schemaOf(kind);
      assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
      const validate = new Ajv2020({ strict: false }).compile(schema);
      assert.equal(validate({ apiVersion: 'other/v1', kind, metadata: { name: 'a' } }), false);
    });
  }

  test('does not require what has a default', () => {
    const validate = new Ajv2020({ strict: false }).compile(schemaOf('Trigger'));
    assert.equal(validate(JSON.parse(triggerText({ filters: [{ all: [{ exact: { type: 'a' } }] }] }))), true);
    assert.equal(validate(JSON.parse(triggerText({ filters: [{ all: [{ exact: { type: '' } }] }] }))), false);
  });

  test('takes a field that is called as a keyword for what it is', () => {
    const validate = new Ajv2020({ strict: false }).compile(schemaOf('Choice'));
    assert.equal(validate(JSON.parse(manifestOf('Choice', SPECS.Choice))), true);
  });

  test('says the defaults', () => {
    const { properties } = schemaOf('KafkaSource') as unknown as {
      properties: { spec: { properties: Record<string, object> } };
    };
    assert.deepEqual(properties.spec.properties['consumers'], {
      type: 'integer',
      minimum: 0,
      default: 1,
      expected: 'an integer >= 0',
    });
  });

  test('belongs to who asked for it', () => {
    Object.assign(schemaOf('Broker'), { properties: {} });
    assert.notDeepEqual((schemaOf('Broker') as { properties?: object }).properties, {});
  });
});
