import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SCOPE } from './subscribable.ts';
import { faultsOf, manifestOf, resourceOf, testRefusals } from './testing.ts';
import type { Refusals } from './testing.ts';

const CHANNELS = ['Channel', 'InMemoryChannel', 'KafkaChannel'] as const;
const DEAD_LETTERS = { ref: { apiVersion: 'v1', kind: 'Service', name: 'dead' } };

for (const kind of CHANNELS) {
  describe(`a ${kind}`, () => {
    const text = (spec?: object, metadata?: object) => manifestOf(kind, spec, metadata);

    test('needs no more than a name, and says that it can be subscribed to', () => {
      const { metadata } = resourceOf(kind, text());
      assert.deepEqual(metadata.annotations, { 'messaging.knative.dev/subscribable': 'v1' });
    });

    test('keeps the annotation that it has', () => {
      const annotations = { 'messaging.knative.dev/subscribable': 'v1beta1' };
      assert.deepEqual(resourceOf(kind, text({}, { annotations })).metadata.annotations, annotations);
    });

    test('may have a delivery, whose dead letter sink is in its namespace', () => {
      const { delivery } = resourceOf(
        kind,
        text({ delivery: { retry: 3, deadLetterSink: DEAD_LETTERS } }, { namespace: 'team' }),
      ).spec;
      assert.deepEqual(delivery, { retry: 3, deadLetterSink: { ref: { ...DEAD_LETTERS.ref, namespace: 'team' } } });
    });

    test('drops an empty list of subscribers, as a server shows it', () => {
      assert.ok(!('subscribers' in resourceOf(kind, text({ subscribers: [] })).spec));
    });

    testRefusals(
      [
        [
          { subscribers: [{ uid: 'a', subscriberUri: 'http://agent' }] },
          'spec.subscribers: must not set the field(s): spec.subscribers: expected none: each Subscription names its channel, got a list',
        ],
        [{ delivery: { retry: -1 } }, 'spec.delivery.retry: invalid value: -1: expected an integer >= 0, got -1'],
      ],
      text,
    );
  });
}

for (const kind of ['InMemoryChannel', 'KafkaChannel'] as const) {
  describe(`the scope of a ${kind}`, () => {
    const scoped = (scope: string) => manifestOf(kind, {}, { annotations: { [SCOPE]: scope } });

    test('is the cluster or a namespace', () => {
      for (const scope of ['cluster', 'namespace']) assert.deepEqual(faultsOf(scoped(scope)), []);
      assert.deepEqual(faultsOf(scoped('planet')), [
        `metadata.annotations["${SCOPE}"]: invalid value: "planet": expected "cluster" or "namespace", got "planet"`,
      ]);
    });
  });
}

// The same for every kind that has one.
const TEMPLATE_REFUSALS: Refusals = [
  [
    { channelTemplate: { apiVersion: 'messaging.knative.dev/v1' } },
    'spec.channelTemplate.kind: missing field(s): spec.channelTemplate.kind: expected the kind of a channel, got nothing',
  ],
  [
    { channelTemplate: { kind: 'KafkaChannel' } },
    'spec.channelTemplate.apiVersion: missing field(s): spec.channelTemplate.apiVersion: expected the apiVersion of a channel, got nothing',
  ],
  [
    { channelTemplate: { apiVersion: 'a/v1', kind: 'Other', spec: { delivery: { retry: 'often' } } } },
    'spec.channelTemplate.spec.delivery.retry: expected an integer >= 0, got "often"',
  ],
];

for (const [kind, needed] of [
  ['Channel', {}],
  ['Sequence', { steps: [{ uri: 'http://agent' }] }],
  ['Parallel', { branches: [{ subscriber: { uri: 'http://agent' } }] }],
] as const) {
  describe(`the channel template of a ${kind}`, () => {
    const text = (spec: object, metadata?: object) => manifestOf(kind, { ...needed, ...spec }, metadata);

    test('is an InMemoryChannel unless it says otherwise', () => {
      assert.deepEqual(resourceOf(kind, text({})).spec.channelTemplate, {
        apiVersion: 'messaging.knative.dev/v1',
        kind: 'InMemoryChannel',
      });
    });

    test('may be of a kind that is not known here, with any spec', () => {
      const channelTemplate = {
        apiVersion: 'messaging.example.com/v1',
        kind: 'OtherChannel',
        spec: { stream: { a: 1 } },
      };
      assert.deepEqual(resourceOf(kind, text({ channelTemplate })).spec.channelTemplate, channelTemplate);
    });

    test('gives its dead letter sink the namespace', () => {
      const channelTemplate = {
        apiVersion: 'messaging.knative.dev/v1',
        kind: 'InMemoryChannel',
        spec: { delivery: { deadLetterSink: DEAD_LETTERS } },
      };
      const { spec } = resourceOf(kind, text({ channelTemplate }, { namespace: 'team' }));
      assert.equal(spec.channelTemplate.spec?.delivery?.deadLetterSink?.ref?.namespace, 'team');
    });

    testRefusals(TEMPLATE_REFUSALS, text);
  });
}

describe('a KafkaChannel', () => {
  const text = (spec?: object) => manifestOf('KafkaChannel', spec);

  test('has one partition, one replica, and keeps a week', () => {
    assert.deepEqual(resourceOf('KafkaChannel', text()).spec, {
      numPartitions: 1,
      replicationFactor: 1,
      retentionDuration: 'PT168H',
    });
  });

  test('means the same in v1beta1 and v1', () => {
    const other = text().replace('messaging.knative.dev/v1beta1', 'messaging.knative.dev/v1');
    assert.notEqual(other, text());
    assert.deepEqual(resourceOf('KafkaChannel', other).spec, resourceOf('KafkaChannel', text()).spec);
  });

  test('may say each of them', () => {
    const spec = { numPartitions: 12, replicationFactor: 32_767, retentionDuration: 'PT0S' };
    assert.deepEqual(resourceOf('KafkaChannel', text(spec)).spec, spec);
  });

  testRefusals(
    [
      [{ numPartitions: 0 }, 'spec.numPartitions: invalid value: 0: expected an integer >= 1, got 0'],
      [
        { replicationFactor: 0 },
        'spec.replicationFactor: invalid value: 0: expected an integer from 1 to 32767, got 0',
      ],
      [
        { replicationFactor: 32_768 },
        'spec.replicationFactor: invalid value: 32768: expected an integer from 1 to 32767, got 32768',
      ],
      [
        { retentionDuration: '-PT1H' },
        'spec.retentionDuration: invalid value: "-PT1H": expected an ISO-8601 period of zero or more, such as "PT0.2S" or "PT1M", got "-PT1H"',
      ],
      [
        { retentionDuration: '168h' },
        'spec.retentionDuration: invalid value: "168h": expected an ISO-8601 period of zero or more, such as "PT0.2S" or "PT1M", got "168h"',
      ],
    ],
    text,
  );
});
