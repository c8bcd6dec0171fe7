import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openMemoryObjects } from '../objects/memory.ts';
import { registryOf, servedKinds } from '../registry/registry.ts';
import { remove } from './deletes.ts';
import { ensureNamespaces } from './namespaces.ts';
import type { ObjectTarget } from './request-path.ts';
import { testClock, trigger } from './testing.ts';
import type { WriteOptions } from './write-options.ts';
import { create, modify } from './writes.ts';

const OPTIONS: WriteOptions = { dryRun: false, manager: 'me', isNamed: true, validation: 'Strict', force: false };

async function opened() {
  const environment = testClock();
  const store = openMemoryObjects(environment);
  await ensureNamespaces(store, ['default', 'shop']);
  const registry = registryOf(servedKinds());
  const kind = registry.ofType({ group: 'eventing.knative.dev', kind: 'Trigger' })!;
  const apiVersion = 'eventing.knative.dev/v1';
  const target: ObjectTarget = { kind, apiVersion, namespace: 'default', name: 'a', subresource: '' };
  const admission = { admit: (object: any) => ({ object, warnings: [] }) };
  const ports = { store, registry, admission, environment };
  await create(ports, { ...target, name: undefined }, { value: trigger('a') }, OPTIONS);
  return { ports, target };
}

/** Adds one to a count in an annotation. */
const count = (live: any) => {
  const before = Number(live.metadata.annotations?.count ?? 0);
  return { value: { ...live, metadata: { ...live.metadata, annotations: { count: String(before + 1) } } } };
};

test('a change that collides with another is made anew on what is there then', async () => {
  const { ports, target } = await opened();
  await Promise.all([1, 2, 3].map(() => modify(ports, target, count, OPTIONS)));
  const { metadata } = ports.store.list(target.kind).items[0]!;
  assert.equal(metadata.annotations?.['count'], '3');
});

test('a change of a version that it names is refused when another was faster', async () => {
  const { ports, target } = await opened();
  const seen = ports.store.list(target.kind).items[0]!;
  const outcomes = await Promise.allSettled([1, 2].map(() => modify(ports, target, () => count(seen), OPTIONS)));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  const [, lost] = outcomes;
  assert.match(String((lost as PromiseRejectedResult).reason), /the object has been modified/);
});

test('one of two who create the same is refused', async () => {
  const { ports, target } = await opened();
  const wanted = { value: trigger('b') };
  const at = { ...target, name: undefined };
  const outcomes = await Promise.allSettled([1, 2].map(() => create(ports, at, wanted, OPTIONS)));
  assert.match(String((outcomes[1] as PromiseRejectedResult).reason), /"b" already exists/);
});

test('nothing is created in a namespace that goes at the same time', async () => {
  const { ports, target } = await opened();
  const namespaces = ports.registry.ofType({ group: '', kind: 'Namespace' })!;
  const shop: ObjectTarget = {
    kind: namespaces,
    apiVersion: 'v1',
    namespace: undefined,
    name: 'shop',
    subresource: '',
  };
  const [gone, created] = await Promise.allSettled([
    remove(ports, shop, { dryRun: false, propagation: 'Background' }),
    create(ports, { ...target, namespace: 'shop', name: undefined }, { value: trigger('b') }, OPTIONS),
  ]);
  assert.equal(gone.status, 'fulfilled');
  assert.match(String((created as PromiseRejectedResult).reason), /namespaces "shop" not found/);
  assert.deepEqual(ports.store.list(target.kind, 'shop').items, []);
});
