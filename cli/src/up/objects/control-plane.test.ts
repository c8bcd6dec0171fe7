import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryObjects } from '@millrace/apiserver/objects/memory';
import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import type { Plan, Status } from '@millrace/bus/plan/plan';
import { readManifest } from '@millrace/resources/manifest';
import type { Declared } from '@millrace/resources/manifest';

import { ControlPlane } from './control-plane.ts';
import type { ControlPlaneOptions } from './control-plane.ts';
import { DECLARED_IN, IMPLICIT, isImplicit } from './ownership.ts';

const BROKER = { group: 'eventing.knative.dev', kind: 'Broker', namespace: 'default' };
const SEQUENCE = `
apiVersion: flows.knative.dev/v1
kind: Sequence
metadata: { name: two }
spec:
  steps: [{ uri: "http://one/" }, { uri: "http://two/" }]
`;

function declaredBy(text: string): readonly Declared[] {
  const { declared, faults } = readManifest(text, 'flow.yaml');
  assert.deepEqual(faults, []);
  return declared;
}

const brokerText = (name: string, retry = 3) => `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: ${name} }
spec: { delivery: { retry: ${retry} } }
`;

/** A control plane over a store in memory, whose plans are written down and count as running. */
async function startPlane(files = '', options: Partial<ControlPlaneOptions> = {}) {
  const store = openMemoryObjects();
  const plans: Plan[] = [];
  const errors: string[] = [];
  let time = 0;
  let changed: ((status: Status) => Status) | undefined;
  const plane = new ControlPlane({
    store,
    dataUrl: 'http://127.0.0.1:8080',
    apply: async (plan) => void plans.push(plan),
    statuses: () => new Map([...plans.at(-1)!.statuses].map(([key, it]) => [key, changed?.(it) ?? it])),
    logger: { error: (text) => void errors.push(text), info() {} },
    now: () => time,
    ...options,
  });
  await plane.start(declaredBy(files));
  return {
    store,
    plane,
    plans,
    errors,
    pass: (ms: number) => (time += ms),
    tellAs: (change: (status: Status) => Status) => (changed = change),
    async [Symbol.asyncDispose]() {
      await plane.close();
      await store.close();
    },
  };
}

/** Those that somebody has declared. */
const brokers = (store: ObjectStore) =>
  store.list(BROKER).items.flatMap((it) => (isImplicit(it) ? [] : [it.metadata.name]));
const broker = (store: ObjectStore, name: string) => store.get({ ...BROKER, name });

interface Shown {
  readonly observedGeneration: number;
  readonly address: { readonly url: string };
  readonly conditions: readonly { type: string; status: string; lastTransitionTime: string }[];
}
const shown = (object: KubernetesObject | undefined) => object!['status'] as Shown;
const ready = (object: KubernetesObject | undefined) => shown(object).conditions.find((it) => it.type === 'Ready')!;

async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function apply(store: ObjectStore, name: string) {
  const object = {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { name, namespace: 'default' },
    spec: {},
  };
  return store.write([{ kind: 'put', key: { ...BROKER, name }, object, expected: undefined }]);
}

describe('the control plane', () => {
  test('stores what files declare, with the file that does, and how it is', async () => {
    await using it = await startPlane(brokerText('orders'));
    const object = broker(it.store, 'orders')!;
    assert.equal(object.metadata.annotations?.[DECLARED_IN], 'flow.yaml');
    assert.equal(object.metadata.generation, 1);
    assert.equal(shown(object).observedGeneration, 1);
    assert.equal(shown(object).address.url, 'http://127.0.0.1:8080/default/orders');
    assert.equal(ready(object).status, 'True');
  });

  test('tells of an address over TLS what vouches for it, and what tokens for it are made for', async () => {
    await using it = await startPlane(brokerText('orders'), {
      dataUrl: 'https://127.0.0.1:8443',
      authentication: {},
      certificate: () => 'PEM',
    });
    assert.deepEqual(shown(broker(it.store, 'orders')).address, {
      name: 'https',
      url: 'https://127.0.0.1:8443/default/orders',
      CACerts: 'PEM',
      audience: 'eventing.knative.dev/broker/default/orders',
    });
  });

  test('follows the files: what is changed is another generation, what is gone is removed, the rest is not written', async () => {
    await using it = await startPlane(brokerText('orders') + '---' + brokerText('other'));
    const before = broker(it.store, 'other')!;
    await it.plane.filesAre(declaredBy(brokerText('other') + '---' + brokerText('third')));
    assert.deepEqual(brokers(it.store), ['other', 'third']);
    assert.equal(broker(it.store, 'other'), before);
    await it.plane.filesAre(declaredBy(brokerText('other', 9)));
    assert.deepEqual(brokers(it.store), ['other']);
    assert.equal(broker(it.store, 'other')!.metadata.generation, 2);
    assert.equal(shown(broker(it.store, 'other')).observedGeneration, 2);
  });

  test('shows the default Broker that nobody has declared, with its address, until somebody declares it', async () => {
    await using it = await startPlane();
    const implicit = broker(it.store, 'default')!;
    assert.equal(implicit.metadata.annotations?.[IMPLICIT], 'true');
    assert.equal(shown(implicit).address.url, 'http://127.0.0.1:8080/default/default');
    await it.plane.filesAre(declaredBy(brokerText('default')));
    const declared = broker(it.store, 'default')!;
    assert.equal(declared.metadata.annotations?.[DECLARED_IN], 'flow.yaml');
    assert.equal(isImplicit(declared), false);
    assert.equal(declared.metadata.uid, implicit.metadata.uid);
    await it.plane.filesAre([]);
    assert.equal(broker(it.store, 'default'), undefined, 'it stays gone for a moment');
    it.pass(2_000);
    await eventually(() => broker(it.store, 'default')?.metadata.annotations?.[IMPLICIT] === 'true');
  });

  test('changes what a flow has made when the flow says something else', async () => {
    await using it = await startPlane(SEQUENCE);
    await it.plane.filesAre(declaredBy(SEQUENCE.replace('http://two/', 'http://three/')));
    const second = it.store.list({ group: 'messaging.knative.dev', kind: 'Subscription' }).items[1]!;
    assert.deepEqual((second['spec'] as { subscriber: object }).subscriber, { uri: 'http://three/' });
    assert.equal(second.metadata.generation, 2);
  });

  test('runs what the API declares beside what files do, and tells how it is', async () => {
    await using it = await startPlane(brokerText('orders'));
    await apply(it.store, 'mine');
    await eventually(
      () => it.plans.at(-1)!.statuses.has('Broker/default/mine') && broker(it.store, 'mine')?.['status'] !== undefined,
    );
    assert.ok(it.plans.at(-1)!.statuses.has('Broker/default/orders'));
    const { resourceVersion } = broker(it.store, 'mine')!.metadata;
    await it.store.write([{ kind: 'remove', key: { ...BROKER, name: 'mine' }, expected: resourceVersion }]);
    await eventually(() => !it.plans.at(-1)!.statuses.has('Broker/default/mine'));
  });

  test('makes the channels and subscriptions of a flow, owned by it, and removes them with it', async () => {
    await using it = await startPlane(SEQUENCE);
    const channels = { group: 'messaging.knative.dev', kind: 'InMemoryChannel' };
    const subscriptions = { group: 'messaging.knative.dev', kind: 'Subscription' };
    const sequence = it.store.get({ group: 'flows.knative.dev', kind: 'Sequence', namespace: 'default', name: 'two' })!;
    const [first, second] = it.store.list(subscriptions).items;
    assert.deepEqual(
      it.store.list(channels).items.map((one) => [one.metadata.name, one.metadata.ownerReferences?.[0]?.uid]),
      [0, 1].map((index) => [`two-kn-sequence-${index}`, sequence.metadata.uid]),
    );
    assert.equal(ready(first).status, 'True');
    assert.deepEqual(first!['spec'], {
      channel: {
        apiVersion: 'messaging.knative.dev/v1',
        kind: 'InMemoryChannel',
        namespace: 'default',
        name: 'two-kn-sequence-0',
      },
      subscriber: { uri: 'http://one/' },
      reply: {
        ref: {
          apiVersion: 'messaging.knative.dev/v1',
          kind: 'InMemoryChannel',
          namespace: 'default',
          name: 'two-kn-sequence-1',
        },
      },
    });
    assert.deepEqual(second!['spec'], {
      channel: (first!['spec'] as { reply: { ref: unknown } }).reply.ref,
      subscriber: { uri: 'http://two/' },
    });
    // They are what the flow made, and nothing that somebody declares beside it.
    assert.equal(
      it.plans.at(-1)!.inlets.filter(({ path }) => path === '/channels/default/two-kn-sequence-0').length,
      1,
    );
    await it.plane.filesAre([]);
    assert.deepEqual([it.store.list(channels).items, it.store.list(subscriptions).items], [[], []]);
  });

  test('writes a status when it changes, and moves the time of a condition with its status alone', async () => {
    await using it = await startPlane(brokerText('orders'));
    const [before] = shown(broker(it.store, 'orders')).conditions;
    it.pass(60_000);
    it.tellAs((status) => ({
      ...status,
      conditions: status.conditions.map((one) =>
        one.type === 'FilterReady' ? { ...one, status: 'False', reason: 'Broken', message: 'it is broken' } : one,
      ),
    }));
    await eventually(() => shown(broker(it.store, 'orders')).conditions.some((one) => one.status === 'False'));
    const after = shown(broker(it.store, 'orders')).conditions;
    assert.deepEqual(after[0], before);
    assert.deepEqual(
      after.filter((one) => one.lastTransitionTime !== before!.lastTransitionTime).map((one) => one.type),
      ['FilterReady'],
    );
    const { resourceVersion } = it.store;
    it.pass(60_000);
    await it.plane.filesAre(declaredBy(brokerText('orders')));
    assert.equal(it.store.resourceVersion, resourceVersion);
  });

  test('goes on with what was declared before when the whole cannot be', async () => {
    await using it = await startPlane('');
    const source = `
apiVersion: sources.millrace.dev/v1alpha1
kind: WebhookSource
metadata: { name: taken }
spec: { path: /default/orders, sink: { ref: { kind: Broker, apiVersion: eventing.knative.dev/v1, name: orders } } }
`;
    const count = it.plans.length;
    await it.plane.filesAre(declaredBy(brokerText('orders') + '---' + source));
    assert.equal(it.plans.length, count);
    assert.match(
      it.errors.join('\n'),
      /WebhookSource\/default\/taken: spec\.path: .*what was declared before goes on/s,
    );
  });
});
