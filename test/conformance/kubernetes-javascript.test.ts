import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, test } from 'node:test';

import { KubeConfig, KubernetesObjectApi, makeInformer, PatchStrategy } from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';

import { startApi, trigger, TRIGGERS } from '@millrace/apiserver/api/testing';
import type { TestApi } from '@millrace/apiserver/api/testing';

const VERSION = 'eventing.knative.dev/v1';
const WATCH_LASTS_MS = 31 * 60_000;

describe('the official JavaScript client of Kubernetes', () => {
  let api: TestApi;
  let config: KubeConfig;
  let client: KubernetesObjectApi;

  before(async () => {
    api = await startApi();
    config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'here', server: api.url, skipTLSVerify: true }],
      users: [{ name: 'me' }],
      contexts: [{ name: 'here', cluster: 'here', user: 'me', namespace: 'default' }],
      currentContext: 'here',
    });
    client = KubernetesObjectApi.makeApiClient(config);
  });
  after(() => api[Symbol.asyncDispose]());

  const one = (name: string) => ({ apiVersion: VERSION, kind: 'Trigger', metadata: { name, namespace: 'default' } });
  const put = (name: string, type: string) =>
    client.patch(
      { ...one(name), spec: { filter: { attributes: { type } } } } as KubernetesObject,
      undefined,
      undefined,
      'test',
      undefined,
      PatchStrategy.MergePatch,
    );
  const make = (name: string) => client.create<KubernetesObject>({ ...trigger(name), ...one(name) });

  test('creates, reads, lists, patches and deletes a Trigger', async () => {
    const made = await make('plain');
    assert.equal(made.metadata?.generation, 1);
    const changed = (await put('plain', 'b')) as { spec: { filter: object } } & KubernetesObject;
    assert.deepEqual(changed.spec.filter, { attributes: { type: 'b' } });
    assert.equal(changed.metadata?.generation, 2);
    const { items } = await client.list(VERSION, 'Trigger', 'default');
    assert.deepEqual(
      items.map(({ metadata }) => metadata?.name),
      ['plain'],
    );
    await assert.rejects(make('plain'), (error: { code?: number }) => error.code === 409);
    await client.delete(one('plain'));
    await assert.rejects(client.read(one('plain')), (error: { code?: number }) => error.code === 404);
  });

  test('its informer follows: added, changed, deleted, also when the watch has ended and when its place is forgotten', async () => {
    const seen: string[] = [];
    const heard = new EventEmitter();
    let lists = 0;
    const informer = makeInformer(config, TRIGGERS, () => {
      lists += 1;
      return client.list(VERSION, 'Trigger', 'default');
    });
    for (const verb of ['add', 'update', 'delete'] as const) {
      informer.on(verb, ({ metadata }) => {
        seen.push(`${verb} ${metadata?.name}`);
        heard.emit('one');
      });
    }
    let connections = 0;
    informer.on('connect', () => {
      connections += 1;
      heard.emit('one');
    });
    const errors: unknown[] = [];
    informer.on('error', (error) => {
      errors.push(error);
      heard.emit('one');
    });
    async function until(isSo: () => boolean): Promise<void> {
      while (!isSo()) await once(heard, 'one', { signal: AbortSignal.timeout(20_000) });
    }
    const hears = (text: string) => until(() => seen.includes(text));
    /** Ends the watch, and waits until the informer is there again. */
    async function endWatch(): Promise<void> {
      const before = connections;
      api.clock.pass(WATCH_LASTS_MS);
      await until(() => connections > before);
    }

    await make('first');
    await informer.start();
    try {
      await hears('add first');
      await make('second');
      await hears('add second');
      await put('first', 'c');
      await hears('update first');
      await client.delete(one('second'));
      await hears('delete second');

      await endWatch();
      await make('third');
      await hears('add third');

      assert.equal(lists, 1, 'it went on from where it was');

      // What happens between is forgotten before the informer is there again: it has to list.
      const before = connections;
      const key = (name: string) => ({ group: 'eventing.knative.dev', kind: 'Trigger', namespace: 'default', name });
      const [third, gone] = [api.store.get(key('third'))!, api.store.get(key('first'))!];
      api.clock.pass(WATCH_LASTS_MS);
      await api.store.write([
        {
          kind: 'put',
          key: key('third'),
          object: { ...third, metadata: { ...third.metadata, labels: { team: 'blue' } } },
          expected: third.metadata.resourceVersion,
        },
        { kind: 'remove', key: key('first'), expected: gone.metadata.resourceVersion },
      ]);
      await api.store.compact(0);
      await until(() => connections > before);
      await hears('update third');
      await hears('delete first');
      assert.equal(lists, 2);
      await make('fourth');
      await hears('add fourth');
      assert.deepEqual(new Set(informer.list().map(({ metadata }) => metadata?.name)), new Set(['third', 'fourth']));
      assert.deepEqual(errors, []);
    } finally {
      await informer.stop();
    }
    assert.deepEqual(api.failures, []);
  });
});
