import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { CloudEvent } from '@millrace/event/event';

import { createCollector } from '../collect.ts';
import { createManualClock } from '../manual-clock.fixture.ts';
import type { ObjectChange, WatchedKind, WatchedObject, WatchedObjects } from './objects.ts';
import { apiServerSource } from './source.ts';
import type { ApiServerSourceOptions } from './source.ts';

const KINDS: readonly WatchedKind[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true },
  { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', plural: 'brokers', namespaced: true },
];

const LABELS: Readonly<Record<string, Record<string, string>>> = { ns: {}, other: { team: 'blue' } };

/** Objects whose changes the test makes up. */
function createObjects(address = Promise.resolve('http://127.0.0.1:8081')) {
  const listeners = new Map<string, (change: ObjectChange) => void>();
  const objects: WatchedObjects = {
    address: () => address,
    kindOf: (apiVersion, kind) => KINDS.find((it) => it.apiVersion === apiVersion && it.kind === kind),
    labelsOf: (namespace) => LABELS[namespace],
    watch({ kind }, listener) {
      listeners.set(kind, listener);
      return () => listeners.delete(kind);
    },
  };
  const change = (type: ObjectChange['type'], object: WatchedObject, previous?: WatchedObject) =>
    listeners.get(object.kind)?.({ type, object, previous });
  return { objects, change, listeners };
}

const configMap = (name: string, metadata: object = {}, data: object = {}): WatchedObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', ...metadata },
  data,
});

const CONFIG_MAPS = { apiVersion: 'v1', kind: 'ConfigMap' };

function start(changes: Partial<ApiServerSourceOptions> = {}, more: Parameters<typeof createObjects> = []) {
  const collector = createCollector();
  const { objects, change, listeners } = createObjects(...more);
  const clock = createManualClock('2026-03-01T12:00:00Z');
  const options = {
    namespace: 'ns',
    name: 'watch',
    mode: 'Reference',
    resources: [CONFIG_MAPS],
    extensions: {},
    objects,
    clock,
  } as const;
  const source = apiServerSource({ ...options, ...changes }, collector.outlet, collector.report);
  return { source, collector, change, listeners, clock };
}

const dataOf = ({ data }: CloudEvent) => JSON.parse(Buffer.from(data!).toString()) as unknown;
const brief = ({ type, subject }: CloudEvent) => `${type.replace('dev.knative.apiserver.', '')} ${subject}`;

/** What it has sent when it has ended. */
async function sent({ source, collector }: ReturnType<typeof start>): Promise<string[]> {
  // Known before it ends: the address of the API.
  await new Promise(setImmediate);
  await source.drain();
  return collector.events.map(brief);
}

describe('an ApiServerSource', () => {
  test('tells by reference what is added, changed and gone, with the attributes of Knative', async () => {
    const started = start({ extensions: { team: 'blue' } });
    const object = configMap('a');
    started.change('ADDED', object);
    started.change('MODIFIED', configMap('a', {}, { key: 'value' }), object);
    started.change('DELETED', object, object);
    assert.deepEqual(await sent(started), [
      'ref.add /apis/v1/namespaces/ns/configmaps/a',
      'ref.update /apis/v1/namespaces/ns/configmaps/a',
      'ref.delete /apis/v1/namespaces/ns/configmaps/a',
    ]);
    const [event] = started.collector.events as [CloudEvent];
    assert.deepEqual(
      { ...event, data: dataOf(event), extensions: { ...event.extensions } },
      {
        specversion: '1.0',
        id: '1',
        type: 'dev.knative.apiserver.ref.add',
        source: 'http://127.0.0.1:8081',
        subject: '/apis/v1/namespaces/ns/configmaps/a',
        time: '2026-03-01T12:00:00.000Z',
        datacontenttype: 'application/json',
        dataschema: undefined,
        extensions: { apiversion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'ns', team: 'blue' },
        data: { kind: 'ConfigMap', namespace: 'ns', name: 'a', apiVersion: 'v1' },
      },
    );
  });

  test('tells of the whole object in mode Resource, of a deleted one as it was', async () => {
    const broker: WatchedObject = {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'b', namespace: 'ns' },
      spec: {},
    };
    const started = start({ mode: 'Resource', resources: [{ apiVersion: broker.apiVersion, kind: 'Broker' }] });
    started.change('DELETED', broker, broker);
    assert.deepEqual(await sent(started), ['resource.delete /apis/eventing.knative.dev/v1/namespaces/ns/brokers/b']);
    assert.deepEqual(dataOf(started.collector.events[0]!), broker);
  });

  test('tells of its own namespace, of those that are selected, or of all', async () => {
    for (const [namespaceSelector, told] of [
      [undefined, ['ns']],
      [{ matchLabels: { team: 'blue' } }, ['other']],
      [{}, ['ns', 'other', 'gone']],
    ] as const) {
      const started = start({ namespaceSelector });
      for (const namespace of ['ns', 'other', 'gone']) started.change('ADDED', configMap('a', { namespace }));
      assert.deepEqual(
        await sent(started),
        told.map((namespace) => `ref.add /apis/v1/namespaces/${namespace}/configmaps/a`),
      );
    }
  });

  test('tells of what is of the cluster without a namespace', async () => {
    const started = start({ resources: [{ apiVersion: 'v1', kind: 'Namespace' }] });
    started.change('ADDED', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    await sent(started);
    const [event] = started.collector.events as [CloudEvent];
    assert.equal(event.extensions['namespace'], undefined);
    assert.deepEqual(dataOf(event), { kind: 'Namespace', name: 'team', apiVersion: 'v1' });
  });

  test('tells of who comes under its labels as added, and of who leaves them as deleted', async () => {
    const started = start({
      mode: 'Resource',
      resources: [{ ...CONFIG_MAPS, selector: { matchLabels: { app: 'a' } } }],
    });
    const [plain, labelled] = [configMap('x'), configMap('x', { labels: { app: 'a' } })];
    started.change('ADDED', plain);
    started.change('MODIFIED', labelled, plain);
    started.change('MODIFIED', labelled, labelled);
    started.change('MODIFIED', plain, labelled);
    started.change('MODIFIED', plain, plain);
    started.change('DELETED', plain, plain);
    assert.deepEqual(
      (await sent(started)).map((it) => it.split(' ')[0]),
      ['resource.add', 'resource.update', 'resource.delete'],
    );
    assert.deepEqual(dataOf(started.collector.events[2]!), labelled);
  });

  test('tells only of what its owner controls', async () => {
    const started = start({ owner: { apiVersion: 'apps/v1', kind: 'Deployment' } });
    const owned = (name: string, reference: object) => configMap(name, { ownerReferences: [reference] });
    started.change('ADDED', owned('yes', { apiVersion: 'apps/v1', kind: 'Deployment', controller: true }));
    started.change('ADDED', owned('no-controller', { apiVersion: 'apps/v1', kind: 'Deployment' }));
    started.change('ADDED', owned('another', { apiVersion: 'apps/v1', kind: 'StatefulSet', controller: true }));
    started.change('ADDED', configMap('nobodys'));
    assert.deepEqual(await sent(started), ['ref.add /apis/v1/namespaces/ns/configmaps/yes']);
  });

  test('sends what is wanted alone', async () => {
    const started = start({ wants: (event) => event.type.endsWith('.delete') });
    started.change('ADDED', configMap('a'));
    started.change('DELETED', configMap('a'), configMap('a'));
    assert.deepEqual(await sent(started), ['ref.delete /apis/v1/namespaces/ns/configmaps/a']);
  });

  test('is not ready while a kind is not served, says which, and watches the others', async () => {
    const started = start({ resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }, CONFIG_MAPS] });
    started.change('ADDED', configMap('a'));
    assert.deepEqual(await sent(started), ['ref.add /apis/v1/namespaces/ns/configmaps/a']);
    const [status] = started.collector.statuses;
    assert.deepEqual([status?.ready, status?.reason], [false, 'KindNotServed']);
    assert.match(status!.message, /^not served by this API: apps\/v1 Deployment; only v1 ConfigMap is watched/);
  });

  test('is told of nothing any more once it has ended', async () => {
    const started = start();
    assert.equal(started.listeners.size, 1);
    await sent(started);
    assert.equal(started.listeners.size, 0);
  });

  test('keeps what happens until the address of the API is known', async () => {
    const address = Promise.withResolvers<string>();
    const started = start({}, [address.promise]);
    started.change('ADDED', configMap('a'));
    await new Promise(setImmediate);
    assert.equal(started.collector.events.length, 0);
    address.resolve('http://late');
    await sent(started);
    assert.deepEqual(
      started.collector.events.map((it) => it.source),
      ['http://late'],
    );
  });

  test('ends also when that is never known', async () => {
    const started = start({}, [new Promise<string>(() => {})]);
    started.change('ADDED', configMap('a'));
    await started.source.drain();
    assert.deepEqual(started.collector.events, []);
  });

  test('keeps the order while events are not taken, and parks without its data what never is', async () => {
    let refusals = 2;
    const big = Object.assign(new Error('too long'), { status: 413 });
    const collector = createCollector(async (events) => {
      if (refusals-- > 0) throw new Error('no space');
      if (events.some((it) => it.subject?.endsWith('/big') === true)) throw big;
    });
    const { objects, change } = createObjects();
    const clock = createManualClock('2026-03-01T12:00:00Z');
    const source = apiServerSource(
      { namespace: 'ns', name: 'w', mode: 'Reference', resources: [CONFIG_MAPS], extensions: {}, objects, clock },
      collector.outlet,
      collector.report,
    );
    for (const name of ['a', 'big', 'b']) change('ADDED', configMap(name));
    await clock.advance(5_000);
    assert.deepEqual(
      collector.events.map((it) => it.extensions['name']),
      ['a', 'b'],
    );
    assert.deepEqual(
      collector.parked.map(({ event, reason }) => [event.extensions['name'], event.data, reason]),
      [['big', undefined, 'too long']],
    );
    const reasons = collector.statuses.map((it) => it.reason);
    assert.deepEqual(reasons, ['Watching', 'EventsRefused', 'EventsRefused', 'Watching']);
    await source.drain();
    assert.equal(clock.waiting(), 0);
  });
});
