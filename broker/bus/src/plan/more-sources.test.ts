import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { KindName } from '@millrace/resources/kinds';
import { readManifest } from '@millrace/resources/manifest';
import { whyNotRun } from '@millrace/resources/not-run';
import { manifestOf } from '@millrace/resources/testing';

import { compilePlan } from './compile.ts';
import type { Plan } from './plan.ts';

const BROKER = { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } };
const AGENT = { uri: 'http://agent/' };

function compile(...manifests: string[]): Plan {
  const { declared, faults } = readManifest(manifests.join('\n---\n'), 'test.yaml');
  assert.deepEqual(faults, []);
  return compilePlan(declared, 'http://127.0.0.1:8080');
}

const plan = (kind: KindName, spec: object) => compile(manifestOf(kind, spec));

/** As `Ready True`, `SinkProvided False NotFound`. */
function conditions({ statuses }: Plan, key: string): string[] {
  return statuses
    .get(key)!
    .conditions.map(({ type, status, reason }) => `${type} ${status}${reason === undefined ? '' : ` ${reason}`}`);
}

describe('a PingSource', () => {
  test('fills the topic of its broker by its schedule', () => {
    const overrides = { extensions: { team: 'blue' } };
    const meant = plan('PingSource', { schedule: '@hourly', data: 'hello', sink: BROKER, ceOverrides: overrides });
    const [feed] = meant.feeds;
    assert.deepEqual(feed, {
      name: 'pingsource/default/it',
      key: 'PingSource/default/it',
      topic: 'broker/default/default',
      kind: 'PingSource',
      options: {
        namespace: 'default',
        name: 'it',
        schedule: '@hourly',
        data: 'hello',
        extensions: { team: 'blue' },
      },
    });
    assert.deepEqual(conditions(meant, 'PingSource/default/it'), [
      'Ready True',
      'SinkProvided True',
      'Deployed True',
      'OIDCIdentityCreated True',
    ]);
    assert.deepEqual(meant.statuses.get('PingSource/default/it')!.details, {
      sinkUri: 'http://127.0.0.1:8080/default/default',
      ceAttributes: [{ type: 'dev.knative.sources.ping', source: '/apis/v1/namespaces/default/pingsources/it' }],
    });
  });

  test('has a topic of its own for any other sink, and a route from there that retries', () => {
    const { feeds, routes } = plan('PingSource', { sink: AGENT });
    assert.equal(feeds[0]!.topic, 'pingsource/default/it');
    assert.deepEqual(routes[0]!.target, { kind: 'url', url: 'http://agent/' });
    assert.equal(routes[0]!.delivery.retry, 10);
  });

  test('does not run without its sink', () => {
    const meant = plan('PingSource', { sink: { ref: { ...BROKER.ref, name: 'gone' } } });
    assert.deepEqual([meant.feeds, meant.routes], [[], []]);
    assert.deepEqual(conditions(meant, 'PingSource/default/it').slice(0, 2), [
      'Ready False NotFound',
      'SinkProvided False NotFound',
    ]);
  });
});

describe('an ApiServerSource', () => {
  const resources = [{ apiVersion: 'v1', kind: 'Event' }];

  test('watches what it says, with the conditions and namespaces of Knative', () => {
    const filters = [{ exact: { kind: 'Event' } }];
    const meant = plan('ApiServerSource', { resources, filters, sink: BROKER });
    assert.deepEqual(meant.feeds[0]!.options, {
      namespace: 'default',
      name: 'it',
      mode: 'Reference',
      resources,
      filter: { filters },
      extensions: {},
    });
    assert.deepEqual(conditions(meant, 'ApiServerSource/default/it'), [
      'Ready True',
      'SinkProvided True',
      'Deployed True',
      'SufficientPermissions True',
      'OIDCIdentityCreated True',
    ]);
    for (const [selector, namespaces] of [
      [undefined, ['default']],
      [{}, ['']],
      [{ matchLabels: { a: 'b' } }, undefined],
    ] as const) {
      const { statuses } = plan('ApiServerSource', { resources, namespaceSelector: selector, sink: BROKER });
      assert.deepEqual(statuses.get('ApiServerSource/default/it')!.details!['namespaces'], namespaces);
    }
  });

  test('whose filter does not compile is a fault, with its place', () => {
    const { faults, feeds } = plan('ApiServerSource', { resources, filters: [{ cesql: 'type =' }], sink: BROKER });
    assert.deepEqual(
      faults.map((it) => it.path),
      ['spec.filters[0].cesql'],
    );
    assert.deepEqual(feeds, []);
  });
});

describe('an IntegrationSource', () => {
  const aws = { s3: { arn: 'a', region: 'r' }, auth: { serviceAccountName: 'a' } };

  test('with a timer is run', () => {
    const meant = plan('IntegrationSource', { timer: { message: 'hello', repeatCount: 3 }, sink: BROKER });
    assert.deepEqual(meant.feeds[0]!.options, {
      periodMs: 1000,
      message: 'hello',
      contentType: 'text/plain',
      repeatCount: 3,
      extensions: {},
    });
    assert.deepEqual(conditions(meant, 'IntegrationSource/default/it'), ['Ready True', 'ContainerSourceReady True']);
    assert.equal(meant.routes[0]!.sinkCondition, 'ContainerSourceReady');
  });

  test('of AWS is not, and says so', () => {
    const meant = plan('IntegrationSource', { aws, sink: BROKER });
    assert.deepEqual([meant.feeds, meant.routes], [[], []]);
    assert.deepEqual(conditions(meant, 'IntegrationSource/default/it'), [
      'Ready False NotSupported',
      'ContainerSourceReady False NotSupported',
    ]);
  });
});

describe('what is not run', () => {
  const container = { template: { spec: { containers: [{ name: 'a', image: 'b' }] } }, sink: AGENT };
  const declared: readonly (readonly [KindName, object, number])[] = [
    ['ContainerSource', container, 2],
    ['SinkBinding', { subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, sink: AGENT }, 5],
    ['IntegrationSink', { log: {} }, 4],
    ['JobSink', { job: {} }, 2],
    ['KafkaSink', { topic: 't', bootstrapServers: ['k'] }, 5],
  ];
  for (const [kind, spec, dependents] of declared) {
    test(`${kind}: has the conditions of Knative, none of them true, and says what to use instead`, () => {
      const { statuses, feeds } = plan(kind, spec);
      const told = statuses.get(`${kind}/default/it`)!.conditions;
      assert.equal(told.length, 1 + dependents);
      for (const { status, reason, message } of told)
        assert.deepEqual([status, reason, message], ['False', 'NotSupported', whyNotRun(kind)]);
      assert.deepEqual(feeds, []);
    });
  }

  for (const [kind, spec] of declared.slice(2)) {
    test(`${kind}: who sends there is told the same`, () => {
      const sink = { ref: { apiVersion: 'x.knative.dev/v1alpha1', kind, name: 'it' } };
      const ping = manifestOf('PingSource', { sink });
      const [ready] = compile(ping, manifestOf(kind, spec)).statuses.get('PingSource/default/it')!.conditions;
      assert.deepEqual([ready!.reason, ready!.message], ['NotSupported', whyNotRun(kind)]);
      const [missing] = compile(ping).statuses.get('PingSource/default/it')!.conditions;
      assert.deepEqual([missing!.reason, missing!.message], ['NotFound', `the ${kind} default/it is not declared`]);
    });
  }
});
