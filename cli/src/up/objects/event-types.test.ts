import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { openMemoryObjects } from '@millrace/apiserver/objects/memory';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import type { SeenType } from '@millrace/bus/telemetry/traffic';
import type { EventType } from '@millrace/resources/event-type';

import { changesForEventTypes, EVENT_TYPE } from './event-types.ts';
import { typeViews } from './type-views.ts';

const BROKER = { group: 'eventing.knative.dev', kind: 'Broker', namespace: 'default', name: 'shop' };
const INTO = 'Broker/default/shop';

const seen = (type: string, more: Partial<SeenType> = {}): SeenType => ({
  into: INTO,
  type,
  source: '/till',
  dataschema: undefined,
  count: 2,
  perMinute: 1,
  lastAt: 60_000,
  lastPosition: 7,
  ...more,
});

describe('EventTypes of what has entered', () => {
  let store: ObjectStore;
  beforeEach(() => {
    store = openMemoryObjects();
  });

  async function declareBroker(annotations: Record<string, string> = {}): Promise<void> {
    const metadata = { name: 'shop', namespace: 'default', annotations };
    const object = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata, spec: {} };
    await store.write([{ kind: 'put', key: BROKER, object, expected: undefined }]);
  }
  async function declare(name: string, spec: object): Promise<void> {
    const object = {
      apiVersion: 'eventing.knative.dev/v1beta2',
      kind: 'EventType',
      metadata: { name, namespace: 'default' },
      spec,
    };
    await store.write([
      { kind: 'put', key: { ...EVENT_TYPE, namespace: 'default', name }, object, expected: undefined },
    ]);
  }
  const tell = async (types: readonly SeenType[], isThere = true) => {
    const changes = changesForEventTypes(store, types, () => isThere);
    await store.write(changes);
    return changes.length;
  };
  const stored = () => store.list(EVENT_TYPE).items as unknown as readonly EventType[];

  test('are made once, with the name that Knative gives them, and belong to their broker', async () => {
    await declareBroker();
    assert.equal(await tell([seen('order', { dataschema: 'https://example.com/order' })]), 1);
    assert.equal(await tell([seen('order')]), 0);
    const [made] = stored();
    // md5 of `order/tilldefaultshop`.
    assert.equal(made!.metadata.name, 'et-shop-9cb2cf5bbb96026ff60a9bb044fbb100');
    const { type, source, schema, reference } = made!.spec;
    assert.deepEqual([type, source, schema], ['order', '/till', 'https://example.com/order']);
    assert.deepEqual(reference, {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      name: 'shop',
      namespace: 'default',
    });
    const [owner] = store.list(EVENT_TYPE).items[0]!.metadata.ownerReferences!;
    assert.deepEqual([owner!.kind, owner!.uid], ['Broker', store.get(BROKER)!.metadata.uid]);
  });

  for (const [what, spec] of [
    ['for its source', { type: 'order', source: '/till', reference: { kind: 'Broker', name: 'shop' } }],
    ['for every source', { type: 'order', broker: 'shop' }],
  ] as const) {
    test(`are not made where one is declared ${what}`, async () => {
      await declareBroker();
      await declare('mine', spec);
      assert.equal(await tell([seen('order')]), 0);
      assert.equal(await tell([seen('other')]), 1);
    });
  }

  test('are not made where the broker does without', async () => {
    await declareBroker({ 'millrace.dev/event-types': 'disabled' });
    assert.equal(await tell([seen('order')]), 0);
  });

  test('go with what they were of; those that are declared stay', async () => {
    await declareBroker();
    await declare('mine', { type: 'paid', broker: 'shop' });
    await tell([seen('order')]);
    assert.equal(await tell([], false), 1);
    assert.deepEqual(
      stored().map(({ metadata }) => metadata.name),
      ['mine'],
    );
  });

  test('are bounded, whatever senders call their events', async () => {
    await declareBroker();
    await tell(Array.from({ length: 1_500 }, (_, index) => seen(`order-${index}`)));
    assert.equal(stored().length, 1_000);
    assert.equal(await tell([seen('one-more')]), 0);
  });

  test('are shown with what has entered of each; what has none is shown too', async () => {
    await declareBroker();
    await declare('mine', { type: 'paid', broker: 'shop', schemaData: '{}', schema: 'https://example.com/paid' });
    await declare('never', { type: 'cancelled' });
    const views = typeViews(store, [
      seen('paid'),
      seen('paid', { source: '/web', count: 3, lastAt: 120_000, lastPosition: 9 }),
      seen('order', { dataschema: 'https://example.com/order' }),
    ]);
    const shop = { kind: 'Broker', namespace: 'default', name: 'shop' };
    assert.deepEqual(views, [
      {
        type: 'cancelled',
        source: undefined,
        into: undefined,
        eventType: 'default/never',
        description: undefined,
        schema: undefined,
        hasSchema: false,
        count: 0,
        perMinute: 0,
      },
      {
        type: 'order',
        source: '/till',
        into: shop,
        schema: 'https://example.com/order',
        hasSchema: false,
        count: 2,
        perMinute: 1,
        lastAt: '1970-01-01T00:01:00.000Z',
        lastPosition: 7,
      },
      {
        type: 'paid',
        source: undefined,
        into: shop,
        eventType: 'default/mine',
        description: undefined,
        schema: 'https://example.com/paid',
        hasSchema: true,
        count: 5,
        perMinute: 2,
        lastAt: '1970-01-01T00:02:00.000Z',
        lastPosition: 9,
      },
    ]);
  });
});
