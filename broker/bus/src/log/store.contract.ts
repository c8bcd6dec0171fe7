import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { canonical } from '@millrace/event/arbitrary';
import { makeEvent } from '@millrace/event/event';
import { attributesOf } from '@millrace/event/json';

import type { Draft } from './log.ts';
import type { Settlement } from './progress.ts';
import type { Store } from './store.ts';

/** What every store must do. `reopen` closes it and opens it again on the same data; undefined where nothing lasts. */
export interface StoreUnderTest {
  store: Store;
  reopen?: (() => Promise<Store>) | undefined;
  end(): Promise<void>;
}

let made = 0;

/** A draft that differs from every other one. */
export function draft(changes: Partial<Draft> & { data?: string; extensions?: Record<string, string> } = {}): Draft {
  const { data = '{"n":1}', extensions, ...rest } = changes;
  made += 1;
  const event = makeEvent(
    {
      specversion: '1.0',
      id: `event-${made}`,
      source: '/test',
      type: 'com.example.test',
      datacontenttype: 'application/json',
      ...extensions,
    },
    Buffer.from(data),
  );
  return { topic: 'broker/default/default', event, arrivedAt: 1_000 + made, hops: 0, ...rest };
}

export function failed(changes: Partial<Settlement>): Settlement {
  const failure = { destination: 'http://subscriber/', status: 500, message: 'answered 500' };
  return {
    route: 'a',
    position: 1,
    attempt: 1,
    stage: 'subscriber',
    outcome: 'parked',
    startedAt: 5,
    duration: 1,
    status: 500,
    failure,
    root: failure,
    waited: false,
    ...changes,
  };
}

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const withStore = (body: (under: StoreUnderTest) => Promise<void>) => async () => {
    const under = await open();
    try {
      await body(under);
    } finally {
      await under.end();
    }
  };
  const never = new AbortController().signal;
  const read = (store: Store, topic: string, after = 0, limit = 100) => store.log.read(topic, after, limit, never);

  describe(`${name}: the log`, () => {
    test(
      'gives back what was appended, in order, byte for byte',
      withStore(async ({ store, reopen }) => {
        const drafts = [
          draft({ data: '{"big":12345678901234567890}', headers: { traceparent: '00-1-2-01' } }),
          draft({ hops: 3, cause: { position: 1, route: 'trigger/default/a' }, extensions: { x: 'ä' } }),
          {
            ...draft(),
            event: makeEvent({ specversion: '0.3', id: '1', source: '/s', type: 't', n: 5, b: true }, undefined),
          },
        ];
        const entries = await store.log.append(drafts);
        const reopened = (await reopen?.()) ?? store;
        for (const found of [
          await read(reopened, 'broker/default/default'),
          entries.map((it) => reopened.log.get(it.position)!),
        ]) {
          assert.deepEqual(
            found.map((it) => canonical(it.event)),
            drafts.map((it) => canonical(it.event)),
          );
          assert.deepEqual(
            found.map((it) => it.hops),
            [0, 3, 0],
          );
          assert.deepEqual(found[0]!.headers, { traceparent: '00-1-2-01' });
          assert.deepEqual(found[1]!.cause, { position: 1, route: 'trigger/default/a' });
          assert.equal(found[2]!.event.extensions['n'], 5);
        }
      }),
    );

    test(
      'takes nothing at all, too',
      withStore(async ({ store }) => {
        assert.deepEqual(await store.log.append([]), []);
      }),
    );

    test(
      'lists the topics that hold an entry, until retention has taken the last one',
      withStore(async ({ store, reopen }) => {
        assert.deepEqual(store.log.topics(), []);
        await store.log.append([draft({ topic: 'a', arrivedAt: 1 }), draft({ topic: 'b' }), draft({ topic: 'a' })]);
        const [gone] = await store.log.append([draft({ topic: 'gone', arrivedAt: 1 })]);
        await store.log.append([draft({ topic: 'b' })]);
        store.log.end('empty');
        const reopened = (await reopen?.()) ?? store;
        assert.deepEqual(reopened.log.topics().toSorted(), ['a', 'b', 'gone']);
        await reopened.trim({ before: 2, maxBytes: 2 ** 40, passed: new Map([['gone', gone!.position]]) });
        assert.deepEqual(reopened.log.topics().toSorted(), ['a', 'b']);
      }),
    );

    test(
      'keeps topics apart and positions growing',
      withStore(async ({ store }) => {
        await store.log.append([draft({ topic: 'a' }), draft({ topic: 'b' }), draft({ topic: 'a' })]);
        const [first, second] = await read(store, 'a');
        assert.ok(first!.position < second!.position);
        assert.equal((await read(store, 'b')).length, 1);
        assert.equal(store.log.end('a'), second!.position);
        assert.equal(store.log.end('nothing'), 0);
        assert.deepEqual(
          (await read(store, 'a', first!.position)).map((it) => it.position),
          [second!.position],
        );
        assert.equal((await read(store, 'a', 0, 1)).length, 1);
      }),
    );

    test(
      'a reader at the end waits for the next entry, or for its signal',
      withStore(async ({ store }) => {
        const waiting = read(store, 'a');
        await store.log.append([draft({ topic: 'b' })]);
        const [entry] = await store.log.append([draft({ topic: 'a' })]);
        assert.equal((await waiting)[0]!.position, entry!.position);
        const stop = new AbortController();
        const stopped = store.log.read('a', entry!.position, 1, stop.signal);
        stop.abort();
        assert.deepEqual(await stopped, []);
      }),
    );

    test(
      'a reader far behind sees everything once, whatever is kept in memory',
      withStore(async ({ store }) => {
        const count = 10_000;
        const appended: Promise<unknown>[] = [];
        for (let index = 0; index < count; index += 1)
          appended.push(store.log.append([draft({ topic: 'a', data: String(index) })]));
        await Promise.all(appended);
        let after = 0;
        for (let seen = 0; seen < count;) {
          for (const entry of await read(store, 'a', after, 777)) {
            assert.equal(Buffer.from(entry.event.data!).toString(), String(seen));
            seen += 1;
            after = entry.position;
          }
        }
        assert.equal(after, store.log.end('a'));
      }),
    );
  });

  describe(`${name}: progress`, () => {
    test(
      'a route that was never saved is unknown; one that was stands there',
      withStore(async ({ store, reopen }) => {
        assert.equal(store.progress.load('a'), undefined);
        await store.progress.save([{ route: 'a', position: 7 }]);
        await store.progress.save([{ route: 'a', position: 9 }]);
        const reopened = (await reopen?.()) ?? store;
        assert.equal(reopened.progress.load('a')!.position, 9);
      }),
    );

    test(
      'what is finished beyond the position is remembered, and what waits as well',
      withStore(async ({ store, reopen }) => {
        const entries = await store.log.append([draft(), draft(), draft(), draft()]);
        const [one, two, three, four] = entries.map((it) => it.position) as [number, number, number, number];
        await store.progress.save([
          { route: 'a', position: 0 },
          { route: 'b', position: 0 },
        ]);
        await store.progress.settle([
          failed({ position: one, outcome: 'delivered', failure: undefined }),
          failed({ position: two, outcome: 'retrying', next: { dueAt: 99, stage: 'subscriber', tries: 1 } }),
          failed({ position: three, outcome: 'parked' }),
          failed({ position: four, route: 'b', outcome: 'deadLettered' }),
        ]);
        const reopened = (await reopen?.()) ?? store;
        assert.deepEqual(
          [...reopened.progress.load('a')!.finished].toSorted((a, b) => a - b),
          [one, two, three].toSorted((a, b) => a - b),
        );
        assert.deepEqual([...reopened.progress.load('b')!.finished], [four]);
      }),
    );

    test(
      'a route that is put back knows nothing of what it finished beyond, but for what waits or is dead; others keep theirs',
      withStore(async ({ store, reopen }) => {
        const entries = await store.log.append(Array.from({ length: 5 }, () => draft()));
        const [one, two, three, four, five] = entries.map((it) => it.position) as [
          number,
          number,
          number,
          number,
          number,
        ];
        await store.progress.save(['a', 'b'].map((route) => ({ route, position: three })));
        await store.progress.settle([
          ...[one, two, five].flatMap((position) =>
            ['a', 'b'].map((route) => failed({ route, position, outcome: 'delivered', failure: undefined })),
          ),
          failed({ position: three }),
          failed({ position: four, outcome: 'retrying', next: { dueAt: 99, stage: 'subscriber', tries: 1 } }),
        ]);
        await store.progress.rewind('a', one);
        const reopened = (await reopen?.()) ?? store;
        const { position, finished } = reopened.progress.load('a')!;
        assert.equal(position, one);
        assert.deepEqual(
          [...finished].toSorted((a, b) => a - b),
          [three, four],
        );
        assert.deepEqual(reopened.progress.load('b'), { position: three, finished: new Set([five]) });
        const routes = (at: number) => reopened.history.attempts(at).map((it) => it.route);
        assert.deepEqual([one, two, three, four, five].map(routes), [['a', 'b'], ['b'], ['a'], ['a'], ['b']]);
        assert.equal(reopened.deadLetters.list({ limit: 10 }).length, 1);
        assert.equal(reopened.progress.waiting('a', 10).length, 1);
      }),
    );

    test(
      'a route is put back over more than is forgotten at once',
      withStore(async ({ store }) => {
        const entries = await store.log.append(Array.from({ length: 4_500 }, () => draft()));
        await store.progress.save([{ route: 'a', position: entries.at(-1)!.position }]);
        await store.progress.settle(
          entries.map(({ position }) => failed({ position, outcome: 'delivered', failure: undefined })),
        );
        await store.progress.rewind('a', 0);
        assert.deepEqual(store.progress.load('a'), { position: 0, finished: new Set() });
      }),
    );

    test(
      'waiting deliveries come earliest first, with why they wait, until they are settled',
      withStore(async ({ store, reopen }) => {
        const [first, second] = await store.log.append([draft(), draft()]);
        const next = { stage: 'deadLetterSink', tries: 2 } as const;
        await store.progress.settle([
          failed({ position: first!.position, outcome: 'retrying', next: { ...next, dueAt: 200 } }),
          failed({ position: second!.position, attempt: 4, outcome: 'retrying', next: { ...next, dueAt: 100 } }),
        ]);
        const reopened = (await reopen?.()) ?? store;
        const waiting = reopened.progress.waiting('a', 10);
        assert.deepEqual(
          waiting.map((it) => it.dueAt),
          [100, 200],
        );
        const { failure } = failed({});
        assert.deepEqual(waiting[0], {
          route: 'a',
          position: second!.position,
          attempt: 5,
          dueAt: 100,
          ...next,
          failure,
        });
        assert.equal(reopened.history.waitingFor(second!.position).length, 1);
        await reopened.progress.settle([
          failed({ position: second!.position, attempt: 5, outcome: 'delivered', waited: true }),
        ]);
        assert.deepEqual(
          reopened.progress.waiting('a', 10).map((it) => it.position),
          [first!.position],
        );
        assert.deepEqual(reopened.history.counts().waiting, { a: 1 });
      }),
    );
  });

  describe(`${name}: what is written together`, () => {
    test(
      'a reply and what became of the delivery that brought it: the one is not there without the other',
      withStore(async ({ store, reopen }) => {
        const [asked, later] = await store.log.append([draft(), draft()]);
        const next = { dueAt: 1, stage: 'subscriber', tries: 1 } as const;
        await store.progress.save([{ route: 'a', position: 0 }]);
        await store.progress.settle([failed({ position: later!.position, outcome: 'retrying', next })]);
        for (const { position } of [asked!, later!]) {
          const waited = position === later!.position;
          const cause = { position, route: 'a' };
          const settlement = failed({ position, outcome: 'delivered', failure: undefined, waited, attempt: 2 });
          const [reply] = await store.log.append([draft({ topic: 'replies', cause, hops: 1 })], settlement);
          assert.equal(store.log.end('replies'), reply!.position);
        }
        const reopened = (await reopen?.()) ?? store;
        for (const { position } of [asked!, later!]) {
          assert.equal(reopened.history.replies(position).length, 1);
          assert.equal(reopened.history.attempts(position).at(-1)!.outcome, 'delivered');
        }
        assert.deepEqual(reopened.progress.waiting('a', 10), []);
        assert.deepEqual([...reopened.progress.load('a')!.finished], [asked!.position, later!.position]);
      }),
    );

    test(
      'what is said last, with the dead letter that it is about',
      withStore(async ({ store, reopen }) => {
        const [asked] = await store.log.append([draft()]);
        const { position } = asked!;
        await store.log.append([draft({ topic: 'replies', cause: { position, route: 'a' } })], failed({ position }));
        const reopened = (await reopen?.()) ?? store;
        assert.deepEqual(
          reopened.deadLetters.list({ limit: 10 }).map((it) => it.position),
          [position],
        );
        assert.equal(reopened.history.replies(position).length, 1);
      }),
    );

    test(
      'a settlement that comes with no replies is kept all the same',
      withStore(async ({ store, reopen }) => {
        const [asked] = await store.log.append([draft()]);
        const { position } = asked!;
        assert.deepEqual(await store.log.append([], failed({ position, outcome: 'deadLettered' })), []);
        const reopened = (await reopen?.()) ?? store;
        assert.equal(reopened.history.attempts(position).at(-1)!.outcome, 'deadLettered');
      }),
    );
  });

  describe(`${name}: definitions of routes`, () => {
    test(
      'the last word counts, also while an earlier one is still being written',
      withStore(async ({ store, reopen }) => {
        await store.progress.define('again', 'text');
        await Promise.all([
          store.progress.define('again', undefined),
          store.progress.define('again', 'text'),
          store.progress.define('brief', 'text'),
          store.progress.define('brief', undefined),
        ]);
        const kept = new Map([['again', 'text']]);
        assert.deepEqual(store.progress.definitions(), kept);
        assert.deepEqual(((await reopen?.()) ?? store).progress.definitions(), kept);
      }),
    );

    test(
      'are kept until they are forgotten, the last one of each',
      withStore(async ({ store, reopen }) => {
        assert.deepEqual(store.progress.definitions(), new Map());
        await store.progress.define('a', 'first');
        await store.progress.define('a', 'second');
        await store.progress.define('a', 'second');
        await store.progress.define('b', 'other');
        await store.progress.define('c', 'gone');
        await store.progress.define('c', undefined);
        const kept = new Map([
          ['a', 'second'],
          ['b', 'other'],
        ]);
        assert.deepEqual(store.progress.definitions(), kept);
        assert.deepEqual(((await reopen?.()) ?? store).progress.definitions(), kept);
      }),
    );
  });

  describe(`${name}: history and dead letters`, () => {
    test(
      'tells what came from outside, without replies',
      withStore(async ({ store }) => {
        const [root] = await store.log.append([draft()]);
        await store.log.append([draft({ cause: { position: root!.position, route: 'a' } })]);
        const [newer] = await store.log.append([draft()]);
        assert.deepEqual(
          store.history.entries({ limit: 10, roots: true }).map((it) => it.position),
          [newer!.position, root!.position],
        );
        assert.equal(store.history.entries({ limit: 10 }).length, 3);
      }),
    );

    test(
      'tells the entries, the attempts and the replies',
      withStore(async ({ store }) => {
        const [entry] = await store.log.append([draft({ topic: 'a' })]);
        const position = entry!.position;
        await store.progress.settle([
          failed({ position, outcome: 'retrying', next: { dueAt: 1, stage: 'subscriber', tries: 1 } }),
        ]);
        await store.progress.settle([
          failed({
            position,
            attempt: 2,
            outcome: 'delivered',
            status: 202,
            failure: undefined,
            waited: true,
            startedAt: 9,
          }),
        ]);
        const [reply] = await store.log.append([draft({ topic: 'a', hops: 1, cause: { position, route: 'a' } })]);
        assert.deepEqual(
          store.history.attempts(position).map((it) => [it.attempt, it.outcome, it.status]),
          [
            [1, 'retrying', 500],
            [2, 'delivered', 202],
          ],
        );
        assert.deepEqual(
          store.history.replies(position).map((it) => it.position),
          [reply!.position],
        );
        const { id } = entry!.event;
        assert.deepEqual(
          store.history.entries({ limit: 10 }).map((it) => it.position),
          [reply!.position, position],
        );
        assert.deepEqual(
          store.history.entries({ limit: 10, id }).map((it) => it.position),
          [position],
        );
        assert.deepEqual(store.history.entries({ limit: 10, topic: 'other' }), []);
        assert.deepEqual(
          store.history.entries({ limit: 10, before: reply!.position, type: 'com.example.test', source: '/test' })
            .length,
          1,
        );
        assert.equal(store.history.counts().entries, 2);
      }),
    );

    test(
      'skims a topic without the data, the newest first, page by page',
      withStore(async ({ store }) => {
        const [one, two, , four] = await store.log.append([draft(), draft(), draft({ topic: 'other' }), draft()]);
        const { topic } = one!;
        const [newest, next] = store.history.skim(topic, { limit: 2 });
        assert.deepEqual([newest!.position, next!.position], [four!.position, two!.position]);
        assert.equal(newest!.event.data, undefined);
        const withoutData = makeEvent(attributesOf(four!.event), undefined);
        assert.deepEqual(canonical(newest!.event), canonical(withoutData));
        const rest = store.history.skim(topic, { before: next!.position, limit: 2 });
        assert.deepEqual(
          rest.map((it) => it.position),
          [one!.position],
        );
      }),
    );

    test(
      'tells since when a topic is complete, whatever old entries are kept as they are dead',
      withStore(async ({ store }) => {
        const entries = await store.log.append([1, 2, 3, 4, 5].map((arrivedAt) => draft({ topic: 'a', arrivedAt })));
        const [first, second] = entries;
        await store.progress.settle([failed({ position: first!.position })]);
        assert.equal(store.history.completeSince('a'), undefined);
        const passed = new Map([['a', entries.at(-1)!.position]]);
        await store.trim({ before: second!.arrivedAt + 1, maxBytes: 2 ** 40, passed });
        assert.equal(store.log.get(first!.position)!.arrivedAt, 1);
        assert.equal(store.history.completeSince('a'), 3);
      }),
    );

    test(
      'a dead letter rests until it is redriven: then it waits, due at once, and is dead no more',
      withStore(async ({ store, reopen }) => {
        const [entry] = await store.log.append([draft()]);
        const { position } = entry!;
        await store.progress.settle([failed({ position, attempt: 3 })]);
        const reopened = (await reopen?.()) ?? store;
        const [letter] = reopened.deadLetters.list({ limit: 10 });
        assert.equal(letter!.entry.event.id, entry!.event.id);
        assert.deepEqual([letter!.route, letter!.attempts, letter!.failure.message], ['a', 3, 'answered 500']);
        assert.deepEqual(reopened.deadLetters.list({ limit: 10, route: 'b' }), []);
        assert.deepEqual(reopened.history.counts().deadLetters, { a: 1 });
        assert.equal(
          await reopened.deadLetters.redrive(
            [
              { route: 'a', position },
              { route: 'b', position },
            ],
            77,
          ),
          1,
        );
        assert.deepEqual(reopened.deadLetters.list({ limit: 10 }), []);
        assert.deepEqual(reopened.progress.waiting('a', 1), [
          { route: 'a', position, attempt: 4, dueAt: 77, stage: 'subscriber', tries: 0, failure: undefined },
        ]);
        assert.equal(await reopened.deadLetters.redrive([{ route: 'a', position }], 77), 0);
      }),
    );

    test(
      'finds a findable entry by the id of its event, the newest of several, until retention takes it',
      withStore(async ({ store, reopen }) => {
        const [first, second, other] = await store.log.append([
          { ...draft(), findable: true },
          draft(),
          { ...draft({ topic: 'other' }), findable: true },
        ]);
        const again = { ...draft(), event: first!.event, findable: true };
        const [newest] = await store.log.append([again]);
        const reopened = (await reopen?.()) ?? store;
        assert.equal(reopened.history.find(first!.event.id)!.position, newest!.position);
        assert.equal(reopened.history.find(second!.event.id), undefined);
        assert.equal(reopened.history.find('nobody'), undefined);
        assert.deepEqual(canonical(reopened.history.find(other!.event.id)!.event), canonical(other!.event));
        const passed = new Map([['other', other!.position]]);
        assert.equal(await reopened.trim({ before: 10 ** 12, maxBytes: 2 ** 40, passed }), 1);
        assert.equal(reopened.history.find(other!.event.id), undefined);
      }),
    );

    test(
      'what was cancelled is finished, and waits no more',
      withStore(async ({ store, reopen }) => {
        const [first, second] = await store.log.append([draft(), draft()]);
        await store.progress.save([{ route: 'a', position: 0 }]);
        const { position } = first!;
        await store.progress.settle([
          failed({ position, outcome: 'retrying', next: { dueAt: 5, stage: 'subscriber', tries: 1 } }),
        ]);
        assert.equal(store.progress.waitingAt('a', position)!.attempt, 2);
        assert.equal(store.progress.waitingAt('b', position), undefined);
        assert.equal(store.progress.waitingAt('a', second!.position), undefined);
        const ended = { outcome: 'cancelled', status: undefined } as const;
        await store.progress.settle([
          failed({ position, attempt: 2, waited: true, ...ended }),
          failed({ position: second!.position, ...ended }),
        ]);
        const reopened = (await reopen?.()) ?? store;
        assert.equal(reopened.progress.waitingAt('a', position), undefined);
        assert.deepEqual(
          [...reopened.progress.load('a')!.finished].toSorted((a, b) => a - b),
          [position, second!.position],
        );
        assert.equal(reopened.history.attempts(position).at(-1)!.outcome, 'cancelled');
        assert.deepEqual(reopened.deadLetters.list({ limit: 10 }), []);
      }),
    );

    test(
      'purging forgets a dead letter',
      withStore(async ({ store }) => {
        const [entry] = await store.log.append([draft()]);
        await store.progress.settle([failed({ position: entry!.position })]);
        assert.equal(await store.deadLetters.purge([{ route: 'a', position: entry!.position }]), 1);
        assert.deepEqual(store.deadLetters.list({ limit: 10 }), []);
      }),
    );

    test(
      'trimming takes what is old and passed, and nothing that waits, is dead, or is still to be passed',
      withStore(async ({ store, reopen }) => {
        const topic = 'a';
        const entries = await store.log.append(
          Array.from({ length: 6 }, (_, index) => draft({ topic, arrivedAt: index < 5 ? 10 : 99 })),
        );
        const [old, waits, dead, alsoOld, notPassed] = entries.map((it) => it.position) as [
          number,
          number,
          number,
          number,
          number,
        ];
        await store.progress.settle([
          failed({ position: waits, outcome: 'retrying', next: { dueAt: 1, stage: 'subscriber', tries: 1 } }),
          failed({ position: dead }),
        ]);
        assert.equal(await store.trim({ before: 50, maxBytes: 2 ** 40, passed: new Map([[topic, notPassed - 1]]) }), 2);
        const left = (await read(store, topic)).map((it) => it.position);
        assert.deepEqual(left, [waits, dead, notPassed, entries.at(-1)!.position]);
        const reopened = (await reopen?.()) ?? store;
        for (const gone of [old, alsoOld]) assert.equal(reopened.log.get(gone), undefined);
        for (const kept of [waits, dead, notPassed]) assert.equal(reopened.log.get(kept)?.position, kept);
        const [next] = await reopened.log.append([draft({ topic })]);
        assert.ok(next!.position > entries.at(-1)!.position);
      }),
    );
  });
}
