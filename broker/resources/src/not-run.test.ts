import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { immutableFaults } from './changes.ts';
import type { KindName } from './kinds.ts';
import { whyNotRun } from './not-run.ts';
import { faultsOf, manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const SINK = { uri: 'http://agent' };
const AUTH = { secret: { ref: { name: 'aws' } } };
const S3 = { arn: 'arn:aws:s3:::b', region: 'eu-central-1' };
const text = (kind: KindName) => (spec: object) => manifestOf(kind, spec);

/** What is taken, and told that it is not run. */
const TAKEN: readonly (readonly [kind: KindName, spec: object])[] = [
  [
    'ContainerSource',
    { template: { spec: { containers: [{ name: 'a', image: 'b', env: [] }], volumes: [] } }, sink: SINK },
  ],
  ['SinkBinding', { subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, sink: SINK }],
  [
    'SinkBinding',
    {
      subject: { apiVersion: 'batch/v1', kind: 'Job', namespace: 'default', selector: { matchLabels: { app: 'a' } } },
      sink: SINK,
    },
  ],
  ['IntegrationSource', { aws: { s3: S3, auth: AUTH }, sink: SINK }],
  ['IntegrationSource', { aws: { sqs: S3, auth: { serviceAccountName: 'a' } }, sink: SINK }],
  ['IntegrationSource', { aws: { ddbStreams: { table: 't', region: 'r' }, auth: AUTH }, sink: SINK }],
  ['IntegrationSink', { log: {} }],
  ['IntegrationSink', { aws: { sns: S3, auth: AUTH } }],
  ['JobSink', { job: { spec: { template: {} } } }],
  ['KafkaSink', { topic: 't', bootstrapServers: ['k:9092'], numPartitions: 1, replicationFactor: 1 }],
  ['KafkaSink', { topic: 't', bootstrapServers: ['k:9092'], auth: { secret: { ref: { name: 'kafka' } } } }],
];

describe('what is not run', () => {
  for (const [kind, spec] of TAKEN) {
    test(`is taken all the same, and told: ${kind} ${JSON.stringify(spec)}`, () => {
      const manifest = manifestOf(kind, spec);
      assert.deepEqual(faultsOf(manifest), []);
      assert.deepEqual(receiptsOf(manifest), [whyNotRun(kind, spec)]);
    });
  }

  test('is no timer', () => {
    const timer = manifestOf('IntegrationSource', { timer: { message: 'hello' }, sink: SINK });
    assert.deepEqual(receiptsOf(timer), []);
    assert.deepEqual(resourceOf('IntegrationSource', timer).spec.timer, {
      period: 1000,
      message: 'hello',
      contentType: 'text/plain',
    });
  });

  test('is no pod either: a template for one is noted', () => {
    const spec = { timer: { message: 'hello' }, template: {}, sink: SINK };
    assert.deepEqual(receiptsOf(manifestOf('IntegrationSource', spec)), [
      'spec.template is ignored: a source has no pod here',
    ]);
  });

  test('has the defaults of Knative', () => {
    const spec = { topic: 't', bootstrapServers: ['k'] };
    assert.equal(resourceOf('KafkaSink', manifestOf('KafkaSink', spec)).spec.contentMode, 'binary');
    const { log } = resourceOf('IntegrationSink', manifestOf('IntegrationSink', { log: {} })).spec;
    assert.deepEqual([log?.level, log?.loggerName, log?.showBody, log?.showHeaders], ['INFO', 'log-sink', true, false]);
    const aws = { s3: S3, auth: AUTH };
    const source = resourceOf('IntegrationSource', manifestOf('IntegrationSource', { aws, sink: SINK }));
    assert.equal(source.spec.aws?.s3?.maxMessagesPerPoll, 10);
    const subject = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };
    const binding = resourceOf(
      'SinkBinding',
      manifestOf('SinkBinding', { subject, sink: SINK }, { namespace: 'team' }),
    );
    assert.equal(binding.spec.subject.namespace, 'team');
  });

  test('may not change what a KafkaSink wrote to', () => {
    const sink = (spec: object) =>
      resourceOf('KafkaSink', manifestOf('KafkaSink', { topic: 't', bootstrapServers: ['k'], ...spec }));
    assert.deepEqual(immutableFaults(sink({}), sink({ bootstrapServers: ['l'], contentMode: 'structured' })), []);
    assert.deepEqual(
      immutableFaults(sink({ numPartitions: 1, replicationFactor: 1 }), sink({ topic: 'u', numPartitions: 2 })).map(
        ({ path, message }) => `${path}: ${message.slice(0, 23)}`,
      ),
      ['topic', 'numPartitions', 'replicationFactor'].map((field) => `spec.${field}: Immutable field updated`),
    );
  });
});

describe('a ContainerSource', () => {
  testRefusals(
    [
      [
        { template: { spec: { containers: [] } }, sink: SINK },
        'spec.template.spec.containers: missing field(s): spec.template.spec.containers: expected a list of at least one container, got an empty list',
      ],
      [
        { template: { spec: { containers: [{}] } }, sink: SINK },
        'spec.template.spec.containers[0].name: missing field(s): spec.template.spec.containers[0].name: expected the name of the container, got nothing',
        'spec.template.spec.containers[0].image: missing field(s): spec.template.spec.containers[0].image: expected the name of an image, got nothing',
      ],
      [
        { template: { spec: { containers: [{ name: 'a', image: 'b' }] } } },
        'spec.sink: missing field(s): spec.sink: expected a destination: an object with ref or uri, got nothing',
      ],
    ],
    text('ContainerSource'),
  );
});

describe('a SinkBinding', () => {
  const subject = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };
  const either = 'expected either name or selector';
  testRefusals(
    [
      [
        { subject: { ...subject, name: undefined }, sink: SINK },
        `spec.subject: expected exactly one, got neither: spec.subject.name, spec.subject.selector: ${either}, got neither`,
      ],
      [
        { subject: { ...subject, selector: {} }, sink: SINK },
        `spec.subject: expected exactly one, got both: spec.subject.name, spec.subject.selector: ${either}, got both`,
      ],
      [
        { subject: { ...subject, namespace: 'other' }, sink: SINK },
        'spec.subject.namespace: invalid value: "other": expected the namespace of the binding, got "other"',
      ],
      [
        { subject: { ...subject, kind: undefined }, sink: SINK },
        'spec.subject.kind: missing field(s): spec.subject.kind: expected the name of a kind, such as "Deployment", got nothing',
      ],
    ],
    text('SinkBinding'),
  );
});

describe('an IntegrationSource', () => {
  const one = 'expected exactly one of timer, aws.s3, aws.sqs, aws.ddbStreams';
  testRefusals(
    [
      [{ sink: SINK }, `spec: at least one source type must be specified: ${one}, got none`],
      [
        { timer: { message: 'a' }, aws: { s3: S3, auth: AUTH }, sink: SINK },
        `spec: only one source type can be set: ${one}, got timer and aws.s3`,
      ],
      [
        { aws: { s3: S3 }, sink: SINK },
        'spec.aws.auth: missing field(s): spec.aws.auth.secret.ref.name: expected either secret.ref.name or serviceAccountName, got neither',
      ],
      [
        { aws: { s3: S3, auth: { ...AUTH, serviceAccountName: 'a' } }, sink: SINK },
        'spec.aws.auth: expected either secret.ref.name or serviceAccountName, got both',
      ],
      [
        { aws: { s3: { arn: 'a' }, auth: AUTH }, sink: SINK },
        'spec.aws.s3.region: missing field(s): spec.aws.s3.region: expected a region, such as "eu-central-1", got nothing',
      ],
      [
        { aws: { ddbStreams: { region: 'r' }, auth: AUTH }, sink: SINK },
        'spec.aws.ddbStreams.table: missing field(s): spec.aws.ddbStreams.table: expected the name of a table, got nothing',
      ],
      [
        { timer: {}, sink: SINK },
        'spec.timer.message: missing field(s): spec.timer.message: expected a non-empty text, got nothing',
      ],
    ],
    text('IntegrationSource'),
  );
});

describe('an IntegrationSink', () => {
  const one = 'expected exactly one of log, aws.s3, aws.sqs, aws.sns';
  testRefusals(
    [
      [{}, `spec: at least one sink type must be specified: ${one}, got none`],
      [{ log: {}, aws: { sns: S3, auth: AUTH } }, `spec: only one sink type can be set: ${one}, got log and aws.sns`],
      [
        { aws: { sns: { ...S3, arn: '' }, auth: AUTH } },
        'spec.aws.sns.arn: invalid value: "": expected an ARN, got ""',
      ],
    ],
    text('IntegrationSink'),
  );
});

describe('a JobSink', () => {
  testRefusals(
    [[{}, 'spec.job: missing field(s): spec.job: expected a Job of batch/v1, got nothing']],
    text('JobSink'),
  );
});

describe('a KafkaSink', () => {
  const spec = { topic: 't', bootstrapServers: ['k'] };
  testRefusals(
    [
      [{ ...spec, topic: '' }, 'spec.topic: invalid value: "": expected the name of a topic, got ""'],
      [
        { ...spec, bootstrapServers: [] },
        'spec.bootstrapServers: missing field(s): spec.bootstrapServers: expected a list of at least one host:port, got an empty list',
      ],
      [{ ...spec, numPartitions: 0 }, 'spec.numPartitions: invalid value: 0: expected an integer >= 1, got 0'],
      [
        { ...spec, replicationFactor: -1 },
        'spec.replicationFactor: invalid value: -1: expected an integer >= 1, got -1',
      ],
      [
        { ...spec, contentMode: 'json' },
        'spec.contentMode: invalid value: "json": expected one of "binary", "structured", got "json"',
      ],
    ],
    text('KafkaSink'),
  );
});
