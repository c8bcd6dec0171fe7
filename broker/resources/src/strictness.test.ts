import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readManifest } from './manifest.ts';
import { faultsOf, manifestOf, receiptsOf, refusalsOf, triggerText } from './testing.ts';

const AGENT = { ref: { kind: 'Service', name: 'agent' } };
const VERSIONED = { ref: { apiVersion: 'serving.knative.dev/v1', ...AGENT.ref } };
const ELSEWHERE = { ref: { ...VERSIONED.ref, namespace: 'other' } };
const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
const CHANNEL = { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'c' };
const JOINED = { annotations: { 'millrace.dev/join': 'all', 'millrace.dev/join-deadline': 'PT1M' } };
const JSONATA = { expression: '$' };

const unversioned = (path: string) =>
  `${path}.apiVersion: missing field(s): ${path}.apiVersion: expected the apiVersion of the Service, such as "serving.knative.dev/v1", got nothing`;

/** What is taken, and how Knative refuses it. */
const REFUSED: readonly (readonly [what: string, manifest: string, ...refusals: string[]])[] = [
  [
    'a step without apiVersion',
    manifestOf('Sequence', { steps: [VERSIONED, AGENT], reply: AGENT }),
    unversioned('spec.steps[1].ref'),
    unversioned('spec.reply.ref'),
  ],
  [
    'a branch without apiVersion',
    manifestOf('Parallel', { branches: [{ filter: AGENT, subscriber: AGENT, reply: AGENT }] }),
    unversioned('spec.branches[0].filter.ref'),
    unversioned('spec.branches[0].subscriber.ref'),
    unversioned('spec.branches[0].reply.ref'),
  ],
  [
    'a subscriber and a dead letter sink without apiVersion',
    triggerText({ subscriber: AGENT, delivery: { deadLetterSink: AGENT } }),
    unversioned('spec.subscriber.ref'),
    unversioned('spec.delivery.deadLetterSink.ref'),
  ],
  [
    'a reference to a kind of which nothing else is known without apiVersion',
    triggerText({ subscriber: { ref: { kind: 'Broker', name: 'b' } } }),
    'spec.subscriber.ref.apiVersion: missing field(s): spec.subscriber.ref.apiVersion: expected the apiVersion of the Broker, got nothing',
  ],
  [
    'a group in place of an apiVersion',
    triggerText({ subscriber: { ref: { ...AGENT.ref, group: 'serving.knative.dev' } } }),
    unversioned('spec.subscriber.ref'),
    'spec.subscriber.ref.group: must not set the field(s): spec.subscriber.ref.group: expected an apiVersion in its place, unless the feature kreference-group is enabled, got "serving.knative.dev"',
  ],
  [
    'the configuration of a Broker without apiVersion',
    manifestOf('Broker', { config: { kind: 'ConfigMap', name: 'c' } }),
    'spec.config.apiVersion: missing field(s): spec.config.apiVersion: expected the apiVersion of the ConfigMap, got nothing',
  ],
  [
    'the broker of a RequestReply without apiVersion',
    manifestOf('RequestReply', { brokerRef: { kind: 'Broker', name: 'b' } }),
    'spec.brokerRef.apiVersion: missing field(s): spec.brokerRef.apiVersion: expected the apiVersion of the Broker, got nothing',
  ],
  [
    'the broker of a Trigger with a namespace, though its own',
    triggerText({ broker: undefined, brokerRef: { ...BROKER, namespace: 'default' } }),
    'spec.brokerRef.namespace: must not set the field(s): spec.brokerRef.namespace: expected nothing: only name, apiVersion and kind are taken, got "default"',
  ],
  [
    'the channel of a Subscription with a namespace, though its own',
    manifestOf('Subscription', { channel: { ...CHANNEL, namespace: 'default' }, subscriber: VERSIONED }),
    'spec.channel.namespace: must not set the field(s): spec.channel.namespace: expected nothing: only name, apiVersion and kind are taken, got "default"',
  ],
  [
    'the sink of an EventTransform in another namespace',
    manifestOf('EventTransform', { jsonata: JSONATA, sink: ELSEWHERE }, { namespace: 'team' }),
    'spec.sink.ref.namespace: mismatched namespaces: spec.sink.ref.namespace: parent namespace: "team" does not match ref: "other": expected the namespace of the resource, got "other"',
  ],
  [
    'the dead letter sink of a RequestReply in another namespace',
    manifestOf('RequestReply', { brokerRef: BROKER, delivery: { deadLetterSink: ELSEWHERE } }),
    'spec.delivery.deadLetterSink.ref.namespace: mismatched namespaces: spec.delivery.deadLetterSink.ref.namespace: parent namespace: "default" does not match ref: "other": expected the namespace of the resource, got "other"',
  ],
  [
    'filters of a branch that are in the bus',
    manifestOf('Parallel', { branches: [{ subscriber: VERSIONED, filters: [{ exact: { type: 'a' } }] }] }),
    'spec.branches[0].filters: strict decoding error: unknown field "spec.branches[0].filters": expected nothing: the field is of Millrace only, got a list',
  ],
  [
    'delivery by features that are not enabled as Knative is shipped',
    triggerText({ delivery: { retryAfterMax: 'PT1M', backoffMax: 'PT1M' } }),
    'spec.delivery.retryAfterMax: must not set the field(s): spec.delivery.retryAfterMax: expected nothing, unless the feature delivery-retryafter is enabled, got "PT1M"',
    'spec.delivery.backoffMax: must not set the field(s): spec.delivery.backoffMax: expected nothing, unless the feature delivery-backoff-max is enabled, got "PT1M"',
  ],
  [
    'numbers and booleans in place of texts',
    triggerText({ filter: { attributes: { a: 1, b: 1.5, c: true } } }),
    'spec.filter.attributes.a: Invalid value: "integer": spec.filter.attributes.a in body must be of type string: "integer": expected a text: quote it, got a number',
    'spec.filter.attributes.b: Invalid value: "number": spec.filter.attributes.b in body must be of type string: "number": expected a text: quote it, got a number',
    'spec.filter.attributes.c: Invalid value: "boolean": spec.filter.attributes.c in body must be of type string: "boolean": expected a text: quote it, got a boolean',
  ],
  [
    'a number as an annotation, also one of ours on a kind of ours',
    manifestOf('WebhookSource', { sink: AGENT }, { annotations: { 'millrace.dev/note': 2 } }),
    'metadata.annotations["millrace.dev/note"]: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.annotations of type string: expected a text: quote it, got a number',
  ],
  [
    'a boolean in a Secret, which is not shown',
    'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { key: true }\n',
    'stringData.key: json: cannot unmarshal bool into Go struct field Secret.stringData of type string: expected a text: quote it, got a boolean',
  ],
  [
    'a document that is no resource',
    'Note: this is prose\n',
    ": Object 'Kind' is missing: expected a resource: an object with apiVersion, kind and metadata, got an object",
  ],
];

describe('Knative refuses, and we take,', () => {
  for (const [what, manifest, ...refusals] of REFUSED) {
    test(what, () => {
      assert.deepEqual(faultsOf(manifest), []);
      assert.deepEqual(refusalsOf(manifest), refusals);
    });
  }

  test('what is told with its place, and the assumption made in its stead knows that it is', () => {
    const text = [
      'apiVersion: flows.knative.dev/v1',
      'kind: Sequence',
      'metadata: { name: s }',
      'spec:',
      '  steps:',
      '  - ref: { kind: Service, name: agent }',
    ].join('\n');
    const { receipts, refusals } = readManifest(text, 'flow.yaml');
    assert.deepEqual(
      refusals.map((it) => it.place),
      [{ file: 'flow.yaml', line: 6, column: 5 }],
    );
    assert.deepEqual(
      receipts.map((it) => it.refused),
      [true],
    );
  });
});

describe('Knative has nothing against', () => {
  const taken: readonly (readonly [what: string, manifest: string, ...receipts: string[]])[] = [
    [
      'a destination in another namespace',
      manifestOf('Sequence', { steps: [ELSEWHERE], reply: { ref: { ...BROKER, namespace: 'other' } } }),
    ],
    ['annotations of ours', manifestOf('Parallel', { branches: [{ subscriber: VERSIONED }] }, JOINED)],
    [
      'what it does not know: references in kinds of ours',
      manifestOf('WebhookSource', { sink: AGENT }),
      'spec.verify is not given: requests are taken from anyone',
      'spec.sink.ref has no apiVersion: kind Service is looked for in serving.knative.dev/v1',
    ],
    [
      'filters beside a filter',
      triggerText({ filter: { attributes: { type: 'a' } }, filters: [{ exact: { type: 'a' } }] }),
      'spec.filters is given, so spec.filter is ignored',
    ],
    ['an empty file', '# nothing here\n', 'no resource in this document'],
    ['an empty document', '---\nnull\n', 'no resource in this document'],
  ];
  for (const [what, manifest, ...receipts] of taken) {
    test(what, () => {
      assert.deepEqual(refusalsOf(manifest), []);
      assert.deepEqual(receiptsOf(manifest).toSorted(), receipts.toSorted());
      assert.ok(readManifest(manifest, 'f').receipts.every((it) => it.refused === undefined));
    });
  }
});
