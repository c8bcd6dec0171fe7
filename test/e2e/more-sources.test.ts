import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startMillrace, testFolder } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';

const declare = (kind: string, name: string, spec: object, apiVersion = 'sources.knative.dev/v1') =>
  `---\n${JSON.stringify({ apiVersion, kind, metadata: { name }, spec })}\n`;

/** Writes an object over the API. */
async function write(millrace: Millrace, method: 'POST' | 'PUT' | 'DELETE', path: string, object?: object) {
  const response = await fetch(millrace.admin + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(object === undefined ? {} : { body: JSON.stringify(object) }),
  });
  assert.ok(response.ok, await response.text());
}

interface Shown {
  readonly status?: {
    readonly conditions: readonly { type: string; status: string; reason?: string; message?: string }[];
    readonly [field: string]: unknown;
  };
}

/** Resolves with the object when its condition Ready has the status, which nothing tells of. */
async function whenReady(millrace: Millrace, path: string, status: 'True' | 'False') {
  while (true) {
    const object = await millrace.ask<Shown>(path);
    const ready = object.status?.conditions.find((it) => it.type === 'Ready');
    if (ready?.status === status) return { status: object.status!, ready };
    await new Promise(setImmediate);
  }
}

const SOURCES = '/apis/sources.knative.dev/v1/namespaces/default';
const MAPS = '/api/v1/namespaces/default/configmaps';

describe('millrace up runs', { timeout: 60_000 }, () => {
  test('a PingSource by its schedule, and a timer, to what they name as their sink', async () => {
    await using subscriber = await startSubscriber();
    using folder = testFolder();
    const sink = { uri: subscriber.url };
    const manifest = folder.write(
      'sources.yaml',
      declare('PingSource', 'tick', {
        schedule: '* * * * * *',
        contentType: 'application/json',
        data: '{"a": 1}',
        ceOverrides: { extensions: { team: 'blue' } },
        sink,
      }) +
        declare(
          'IntegrationSource',
          'timer',
          { timer: { period: 1, message: 'hello', repeatCount: 1 }, sink },
          'sources.knative.dev/v1alpha1',
        ),
    );
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [manifest] });
    await subscriber.count(3);
    const of = (type: string) => subscriber.received.filter((it) => it.event?.type === type);
    const [ping] = of('dev.knative.sources.ping');
    assert.equal(ping!.event!.source, '/apis/v1/namespaces/default/pingsources/tick');
    assert.equal(ping!.event!.datacontenttype, 'application/json');
    assert.equal(ping!.event!.extensions['team'], 'blue');
    assert.equal(ping!.body.toString(), '{"a": 1}');
    assert.deepEqual(
      of('dev.knative.eventing.timer').map((it) => [it.event!.source, it.body.toString()]),
      [['dev.knative.eventing.timer-source', 'hello']],
    );
    const { status } = await whenReady(millrace, `${SOURCES}/pingsources/tick`, 'True');
    assert.equal(status['sinkUri'], subscriber.url);
  });

  test('an ApiServerSource over its own objects: what is added, changed and gone, and after a restart what is new', async () => {
    await using subscriber = await startSubscriber();
    using folder = testFolder();
    const resources = [{ apiVersion: 'v1', kind: 'ConfigMap' }];
    const spec = { mode: 'Resource', resources, sink: { uri: subscriber.url } };
    const manifest = folder.write('source.yaml', declare('ApiServerSource', 'watch', spec));
    const start = () => startMillrace({ data: folder.at('data'), manifests: [manifest] });
    const seen = () =>
      subscriber.received
        .map(({ event }) => `${event!.type.replace('dev.knative.apiserver.resource.', '')} ${event!.subject}`)
        .toSorted();
    const map = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });
    const subject = '/apis/v1/namespaces/default/configmaps/settings';

    const first = await start();
    try {
      await write(first, 'POST', MAPS, map({ a: '1' }));
      await write(first, 'PUT', `${MAPS}/settings`, map({ a: '2' }));
      await subscriber.count(2);
      assert.deepEqual(seen(), [`add ${subject}`, `update ${subject}`]);
      const [{ event, body }] = subscriber.received as [(typeof subscriber.received)[number]];
      assert.equal(event!.source, first.admin);
      assert.deepEqual(
        { ...event!.extensions, knativearrivaltime: '' },
        {
          apiversion: 'v1',
          kind: 'ConfigMap',
          name: 'settings',
          namespace: 'default',
          knativearrivaltime: '',
        },
      );
      const object = JSON.parse(body.toString()) as { kind: string; metadata: { name: string } };
      assert.deepEqual([object.kind, object.metadata.name], ['ConfigMap', 'settings']);
    } finally {
      await first.stop();
      await first[Symbol.asyncDispose]();
    }
    // What is there already is not told again.
    await using second = await start();
    await write(second, 'DELETE', `${MAPS}/settings`);
    await subscriber.count(3);
    assert.deepEqual(seen(), [`add ${subject}`, `delete ${subject}`, `update ${subject}`]);
  });

  test('an ApiServerSource of a kind that is not served not at all, and says so', async () => {
    using folder = testFolder();
    const resources = [{ apiVersion: 'apps/v1', kind: 'Deployment' }];
    const spec = { resources, sink: { uri: 'http://127.0.0.1:1/' } };
    const manifest = folder.write('source.yaml', declare('ApiServerSource', 'watch', spec));
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [manifest] });
    const { ready } = await whenReady(millrace, `${SOURCES}/apiserversources/watch`, 'False');
    assert.equal(ready.reason, 'KindNotServed');
    assert.match(ready.message!, /apps\/v1 Deployment/);
  });

  test('no ContainerSource: it tells when it starts and in the status, and starts all the same', async () => {
    using folder = testFolder();
    const template = { spec: { containers: [{ name: 'a', image: 'b' }] } };
    const spec = { template, sink: { uri: 'http://127.0.0.1:1/' } };
    const manifest = folder.write('source.yaml', declare('ContainerSource', 'container', spec));
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [manifest] });
    assert.match(millrace.stderr, /a ContainerSource is not run by this version: start the container yourself/);
    const { ready } = await whenReady(millrace, `${SOURCES}/containersources/container`, 'False');
    assert.equal(ready.reason, 'NotSupported');
    assert.match(ready.message!, /not run by this version/);
  });
});
