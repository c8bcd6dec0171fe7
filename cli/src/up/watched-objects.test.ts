import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryObjects } from '@millrace/apiserver/objects/memory';
import type { ObjectDraft, ObjectKey } from '@millrace/apiserver/objects/object';
import { registryOf, servedKinds } from '@millrace/apiserver/registry/registry';
import type { ObjectChange } from '@millrace/sources/api-server/objects';

import { watchedObjects } from './watched-objects.ts';

const KEY: ObjectKey = { group: 'sources.knative.dev', kind: 'KafkaSource', namespace: 'default', name: 'k' };
const source = (topics: string[]): ObjectDraft => ({
  apiVersion: 'sources.knative.dev/v1beta1',
  kind: 'KafkaSource',
  metadata: {},
  spec: { topics },
});

describe('the objects of this process', () => {
  test('are of the kinds and versions that its API serves', async () => {
    const store = openMemoryObjects();
    const { kindOf } = watchedObjects(store, registryOf(servedKinds()), Promise.resolve(''));
    assert.deepEqual(kindOf('v1', 'Event'), { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true });
    assert.equal(kindOf('v1', 'Namespace')?.namespaced, false);
    assert.equal(kindOf('sources.knative.dev/v1beta2', 'PingSource')?.plural, 'pingsources');
    for (const [apiVersion, kind] of [
      ['apps/v1', 'Deployment'],
      ['v1', 'PingSource'],
      ['sources.knative.dev/v3', 'PingSource'],
    ] as const)
      assert.equal(kindOf(apiVersion, kind), undefined);
    await store.close();
  });

  test('are told of from now on, in the version that was asked for, until that ends', async () => {
    const store = openMemoryObjects();
    const objects = watchedObjects(store, registryOf(servedKinds()), Promise.resolve(''));
    const [first] = await store.write([{ kind: 'put', key: KEY, object: source(['a']), expected: undefined }]);
    const changes: ObjectChange[] = [];
    const end = objects.watch(objects.kindOf('sources.knative.dev/v1', 'KafkaSource')!, (it) => void changes.push(it));
    const [second] = await store.write([
      { kind: 'put', key: KEY, object: source(['b']), expected: first!.metadata.resourceVersion },
    ]);
    const [third] = await store.write([{ kind: 'remove', key: KEY, expected: second!.metadata.resourceVersion }]);
    end();
    await store.write([{ kind: 'put', key: KEY, object: source(['c']), expected: undefined }]);
    const apiVersion = 'sources.knative.dev/v1';
    assert.deepEqual(changes, [
      { type: 'MODIFIED', object: { ...second, apiVersion }, previous: { ...first, apiVersion } },
      { type: 'DELETED', object: { ...third, apiVersion }, previous: { ...second, apiVersion } },
    ]);
    await store.close();
  });

  test('are in namespaces with labels', async () => {
    const store = openMemoryObjects();
    const objects = watchedObjects(store, registryOf(servedKinds()), Promise.resolve('http://here'));
    const key = { group: '', kind: 'Namespace', namespace: '', name: 'team' };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { labels: { team: 'blue' } } };
    await store.write([{ kind: 'put', key, object: namespace, expected: undefined }]);
    assert.deepEqual(objects.labelsOf('team'), { team: 'blue' });
    assert.equal(objects.labelsOf('gone'), undefined);
    assert.equal(await objects.address(), 'http://here');
    await store.close();
  });
});
