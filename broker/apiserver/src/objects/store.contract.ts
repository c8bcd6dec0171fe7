import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ObjectStore, WatchEvent } from './store.ts';
import {
  change,
  create,
  draft,
  eventsAfter,
  remove,
  secretKey,
  shown,
  triggerKey,
  TRIGGERS,
  update,
} from './testing.ts';
import { watchesAreTrue } from './watches.contract.ts';

/** A store and, where it keeps anything, how to close it and open it again on the same data. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  readonly reopen?: (() => Promise<ObjectStore>) | undefined;
  end(): Promise<void>;
}

const A = triggerKey('a');
const B = triggerKey('b');

/** What every store of objects must do. */
export function objectStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const withStore = (body: (store: ObjectStore, under: StoreUnderTest) => Promise<void>) => async () => {
    const under = await open();
    try {
      await body(under.store, under);
    } finally {
      await under.end();
    }
  };

  describe(`objects in ${name}`, () => {
    test(
      'get their name, namespace, uid, version and time from the store, whatever they say themselves',
      withStore(async (store) => {
        const claimed = { name: 'z', namespace: 'z', uid: 'z', resourceVersion: '77', creationTimestamp: null };
        const labels = { team: 'red' };
        const object = draft({}, { ...claimed, labels });
        const stored = await change(store, { kind: 'put', key: A, object, expected: undefined });
        const { uid, creationTimestamp, ...rest } = stored.metadata;
        assert.deepEqual(rest, { name: 'a', namespace: 'default', resourceVersion: '1', labels });
        assert.match(uid, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
        assert.match(creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        const inCluster = { group: '', kind: 'Namespace', namespace: '', name: 'n' };
        const namespace = await change(store, { kind: 'put', key: inCluster, object, expected: undefined });
        assert.equal('namespace' in namespace.metadata, false);
      }),
    );

    test(
      'are copies that nobody can change',
      withStore(async (store) => {
        const spec = { filter: { type: 'a' as string | undefined }, nothing: undefined };
        const key = { ...A };
        const written = change(store, create(key, spec));
        spec.filter.type = 'b';
        key.name = 'b';
        const stored = await written;
        assert.deepEqual(stored['spec'], { filter: { type: 'a' } });
        assert.equal(store.get(A), stored);
        assert.throws(() => Object.assign((stored['spec'] as typeof spec).filter, { type: 'c' }), TypeError);
        assert.throws(() => Object.assign(stored.metadata, { name: 'c' }), TypeError);
      }),
    );

    test(
      'keep who they are when they change, and are somebody else when they are made anew',
      withStore(async (store) => {
        const first = await change(store, create(A, { n: 1 }));
        const second = await change(store, update(A, '1', { n: 2 }));
        assert.deepEqual(second, { ...first, spec: { n: 2 }, metadata: { ...first.metadata, resourceVersion: '2' } });
        const [removed, third] = await store.write([remove(A, '2'), create(A, { n: 2 })]);
        assert.deepEqual(removed, { ...second, metadata: { ...second.metadata, resourceVersion: '3' } });
        assert.equal(third!.metadata.resourceVersion, '4');
        assert.notEqual(third!.metadata.uid, first.metadata.uid);
      }),
    );

    test(
      'have no new version when nothing is different, in whatever order it is said',
      withStore(async (store) => {
        const stored = await change(store, create(A, { n: 1, m: 2 }));
        assert.equal(await change(store, update(A, '1', { m: 2, n: 1 })), stored);
        assert.equal(store.resourceVersion, '1');
        assert.deepEqual(eventsAfter(store, '1'), []);
      }),
    );

    for (const [what, one, refusal] of [
      ['a put that is to be the first', create(A), { name: 'AlreadyExists', key: A }],
      ['a put on another version', update(A, '7', {}), { name: 'Conflict', key: A, expected: '7', actual: '1' }],
      ['a removal of another version', remove(A, '7'), { name: 'Conflict', key: A, expected: '7', actual: '1' }],
      ['a put on what is not there', update(B, '1', {}), { name: 'NotFound', key: B }],
      ['a removal of what is not there', remove(B, '1'), { name: 'NotFound', key: B }],
    ] as const) {
      test(
        `${what} is refused, and nothing of its write is made`,
        withStore(async (store) => {
          const stored = await change(store, create(A));
          await assert.rejects(store.write([create(triggerKey('c')), one, create(triggerKey('d'))]), refusal);
          assert.deepEqual(store.list(TRIGGERS), { items: [stored], resourceVersion: '1' });
          assert.equal((await change(store, update(A, '1', { n: 1 }))).metadata.resourceVersion, '2');
          assert.deepEqual(eventsAfter(store, '0').map(shown), ['ADDED default/a@1', 'MODIFIED default/a@2']);
        }),
      );
    }

    test(
      'of two writes to one version in the same turn, the first is made',
      withStore(async (store) => {
        await change(store, create(A));
        const [first, second] = await Promise.allSettled(
          [1, 2].map((n) => store.write([update(A, '1', { n }), create(triggerKey(`by-${n}`))])),
        );
        assert.equal(first!.status, 'fulfilled');
        assert.equal((second as PromiseRejectedResult).reason.name, 'Conflict');
        assert.deepEqual(store.get(A)!['spec'], { n: 1 });
        assert.equal(store.get(triggerKey('by-2')), undefined);
      }),
    );

    test(
      'a write that is no JSON is refused without harm to those beside it',
      withStore(async (store) => {
        const [bad, good] = await Promise.allSettled([store.write([create(A, 1n)]), store.write([create(B)])]);
        assert.equal(bad.status, 'rejected');
        assert.equal(good.status, 'fulfilled');
        assert.equal(store.get(B)!.metadata.resourceVersion, '1');
      }),
    );

    test(
      'are listed by type and namespace, in order, as of one version',
      withStore(async (store) => {
        const names = ['default/b', 'other/a', 'default/a', 'default-2/c'];
        for (const one of names) {
          const [namespace, name] = one.split('/') as [string, string];
          await change(store, create(triggerKey(name, namespace)));
        }
        await change(store, create(secretKey('a')));
        const before = store.list(TRIGGERS);
        await change(store, remove(triggerKey('a'), '3'));
        const places = (items: typeof before.items) =>
          items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
        assert.deepEqual(places(before.items), ['default-2/c', 'default/a', 'default/b', 'other/a']);
        assert.equal(before.resourceVersion, '5');
        assert.deepEqual(places(store.list(TRIGGERS, 'default').items), ['default/b']);
        await change(store, create(triggerKey('0')));
        assert.deepEqual(places(store.list(TRIGGERS, 'default').items), ['default/0', 'default/b']);
        assert.deepEqual(store.list(TRIGGERS, 'none'), { items: [], resourceVersion: '7' });
        assert.deepEqual(store.list({ group: 'flows.knative.dev', kind: 'Trigger' }).items, []);
      }),
    );

    test(
      'a watch tells what became of what, and what it was before',
      withStore(async (store) => {
        const added = await change(store, create(A));
        const events: WatchEvent[] = [];
        const elsewhere: WatchEvent[] = [];
        store.watch(TRIGGERS, 'default', '0', { event: (event) => events.push(event) });
        store.watch(TRIGGERS, 'other', '0', { event: (event) => elsewhere.push(event) });
        assert.equal(events.length, 1, 'what is past is told at once');
        const modified = await change(store, update(A, '1', { n: 2 }));
        await change(store, create(secretKey('a')));
        const deleted = await change(store, remove(A, '2'));
        assert.deepEqual(events, [
          { type: 'ADDED', key: A, object: added, previous: undefined },
          { type: 'MODIFIED', key: A, object: modified, previous: added },
          { type: 'DELETED', key: A, object: deleted, previous: modified },
        ]);
        assert.deepEqual(elsewhere, []);
      }),
    );

    test(
      'a watch is told what the store shows: never more, never less',
      withStore(async (store) => {
        const seen: unknown[] = [];
        store.watch(TRIGGERS, undefined, '0', {
          event: ({ object }) => seen.push([object === store.get(A), store.resourceVersion]),
        });
        const written = store.write([create(A)]);
        assert.equal(store.get(A), undefined);
        await written;
        assert.deepEqual(seen, [[true, '1']]);
      }),
    );

    test(
      'who listens may end its watch, begin others and write',
      withStore(async (store) => {
        const told: string[] = [];
        const watches: (() => void)[] = [];
        const listen = (who: string, event: () => void = () => {}) => {
          const end = store.watch(TRIGGERS, undefined, '0', {
            event(one) {
              told.push(`${who} ${shown(one)}`);
              event();
            },
          });
          watches.push(end);
        };
        let more: Promise<unknown> | undefined;
        listen('brief', () => watches[0]!());
        listen('busy', () => {
          more ??= store.write([create(triggerKey('c'))]);
          if (told.filter((one) => one.startsWith('late')).length === 0) listen('late');
        });
        await store.write([create(A), create(B)]);
        await more;
        assert.deepEqual(
          told.toSorted(),
          ['brief@1', 'busy@1', 'busy@2', 'busy@3', 'late@1', 'late@2', 'late@3'].map((one) => {
            const [who, version] = one.split('@') as [string, string];
            return `${who} ADDED default/${'abc'[Number(version) - 1]}@${version}`;
          }),
        );
      }),
    );

    test(
      'a listener that fails is told nothing more; the write and the others have no part in it',
      withStore(async (store) => {
        const thrown = Promise.withResolvers<unknown>();
        process.setUncaughtExceptionCaptureCallback(thrown.resolve);
        try {
          let times = 0;
          const others: WatchEvent[] = [];
          store.watch(TRIGGERS, undefined, '0', {
            event() {
              times += 1;
              throw new Error('a fault of the listener');
            },
          });
          store.watch(TRIGGERS, undefined, '0', { event: (event) => others.push(event) });
          await store.write([create(A), create(B)]);
          assert.equal(((await thrown.promise) as Error).message, 'a fault of the listener');
          assert.deepEqual([times, others.length], [1, 2]);
        } finally {
          process.setUncaughtExceptionCaptureCallback(null);
        }
      }),
    );

    test(
      'a watch from what is forgotten, to come, or no version is gone; from all else it is not',
      withStore(async (store) => {
        for (const name of ['a', 'b', 'c', 'd']) await change(store, create(triggerKey(name)));
        await store.compact(2);
        for (const after of ['0', '1', '5', '-1', '', 'x', '1e0', '0x3', '9'.repeat(30)]) {
          assert.throws(() => eventsAfter(store, after), { name: 'Gone', after, oldest: '2' }, after);
        }
        assert.deepEqual(eventsAfter(store, '2').map(shown), ['ADDED default/c@3', 'ADDED default/d@4']);
        assert.deepEqual(eventsAfter(store, '4'), []);
        await store.compact(100);
        assert.equal(eventsAfter(store, '2').length, 2, 'what is to be kept is');
        await store.compact(0);
        assert.throws(() => eventsAfter(store, '3'), { name: 'Gone' });
        assert.equal(store.list(TRIGGERS).items.length, 4);
        assert.equal((await change(store, create(triggerKey('e')))).metadata.resourceVersion, '5');
      }),
    );

    test(
      'closing makes what was asked for, ends the watches, and takes nothing more',
      withStore(async (store) => {
        const told: WatchEvent[] = [];
        const written = store.write([create(A)]);
        store.watch(TRIGGERS, undefined, '0', { event: (event) => told.push(event) });
        await Promise.all([store.close(), store.close()]);
        assert.equal((await written)[0]!.metadata.name, 'a');
        assert.equal(told.length, 1);
        await assert.rejects(store.write([create(B)]), { name: 'StoreBroken' });
        await assert.rejects(store.compact(0), { name: 'StoreBroken' });
      }),
    );

    test('every watch ends with the true state, or is told that it cannot', { timeout: 60_000 }, () =>
      watchesAreTrue(open),
    );
  });
}
