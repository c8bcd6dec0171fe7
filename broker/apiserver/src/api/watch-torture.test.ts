import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';

import { chanceOf, seededChance } from '../../../../test/support/chance.ts';
import type { Chance } from '../../../../test/support/chance.ts';
import { startApi } from './testing.ts';
import type { TestApi } from './testing.ts';

const WATCHERS = 100;
const WRITES = 5_000;
const WRITERS = 4;
const NAMES = 40;
const COMPACT_EVERY = 250;
const CHANGES_KEPT = 20;
const MAPS = '/api/v1/namespaces/default/configmaps';
/** Written after all others: who has seen it has seen everything. */
const LAST = 'last';

const configMap = (name: string, value: string, parity: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { parity } },
  data: { value },
});

interface Seen {
  /** The value of each object, by name. */
  readonly state: Record<string, string>;
  readonly disconnects: number;
  readonly relists: number;
}

/** Follows as a careful client does: lists, watches from there, goes on where it was, lists again when that is forgotten. */
async function follow(
  api: TestApi,
  { selector, chance, compacted }: { selector: string; chance: Chance; compacted: () => Promise<void> },
): Promise<Seen> {
  let state = new Map<string, string>();
  let place: string | undefined;
  let disconnects = 0;
  let relists = -1;
  while (!state.has(LAST)) {
    if (place === undefined) {
      const { body } = await api.ask('GET', `${MAPS}?labelSelector=${encodeURIComponent(selector)}`);
      state = new Map(body.items.map((it: any) => [it.metadata.name, it.data.value]));
      place = body.metadata.resourceVersion as string;
      relists += 1;
      continue;
    }
    await watch(`${MAPS}?watch=true&resourceVersion=${place}&labelSelector=${encodeURIComponent(selector)}`);
  }
  return { state: Object.fromEntries([...state].toSorted(byName)), disconnects, relists };

  /** Until the stream ends, or the watcher leaves it. */
  async function watch(path: string): Promise<void> {
    let isLeaving = false;
    await eachEvent(api.url + path, (event) => {
      isLeaving = chance.number() < 1 / 300;
      return take(event) && !isLeaving;
    });
    if (!isLeaving || state.has(LAST)) return;
    disconnects += 1;
    // Some stay away until what they have missed may be forgotten.
    if (chance.number() < 1 / 3) await compacted();
  }

  /** False when nothing is to come any more. */
  function take({ type, object }: WatchEvent): boolean {
    if (type === 'ERROR') {
      assert.equal(object.code, 410);
      place = undefined;
      return false;
    }
    const { name, resourceVersion } = object.metadata;
    assert.ok(Number(resourceVersion) > Number(place), 'no change is told twice, and none before an older one');
    place = resourceVersion as string;
    if (type === 'DELETED') assert.ok(state.delete(name), `${name} was there to be deleted`);
    else {
      assert.equal(state.has(name), type === 'MODIFIED', `${type} ${name}`);
      state.set(name, object.data.value);
    }
    return !state.has(LAST);
  }
}

interface WatchEvent {
  readonly type: string;
  readonly object: any;
}

/**
 * Gives the events of a watch one after the other, until the stream ends or one is the last that is wanted. No promise
 * for each: the runner of tests keeps account of every one.
 */
function eachEvent(url: string, wantsMore: (event: WatchEvent) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        try {
          if (lines.every((line) => wantsMore(JSON.parse(line) as WatchEvent))) return;
          resolve();
        } catch (error) {
          reject(error);
        }
        response.removeAllListeners('data');
        request.destroy();
      });
      response.on('close', resolve);
      response.on('error', resolve);
    });
    request.on('error', reject);
  });
}

const byName = ([one]: [string, string], [other]: [string, string]) => (one < other ? -1 : 1);

test('a hundred watchers over HTTP, cut off and overtaken at random, all end with what is true', async () => {
  await using api = await startApi();
  const chance = seededChance();
  let isOver = false;
  let next = Promise.withResolvers<void>();
  const compacted = () => (isOver ? Promise.resolve() : next.promise);
  const selectorOf = (index: number) => ['', 'parity=even', 'parity!=even'][index % 3]!;
  const watching = Array.from({ length: WATCHERS }, (_, index) =>
    follow(api, { selector: selectorOf(index), chance: chanceOf(chance.integer(1, 2 ** 30)), compacted }),
  );

  let writes = 0;
  // Each writer has names of its own: whether one is there is then known before it is asked.
  async function write(writer: number): Promise<void> {
    const there = new Set<string>();
    while (writes < WRITES) {
      writes += 1;
      if (writes % COMPACT_EVERY === 0) {
        await api.store.compact(CHANGES_KEPT);
        next.resolve();
        next = Promise.withResolvers();
      }
      const name = `map-${writer}-${chance.integer(1, NAMES / WRITERS)}`;
      const path = `${MAPS}/${name}`;
      if (there.has(name) && chance.number() < 0.2) {
        there.delete(name);
        assert.equal((await api.ask('DELETE', path)).status, 200);
        continue;
      }
      const object = configMap(name, String(writes), chance.number() < 0.5 ? 'even' : 'odd');
      const { status } = there.has(name) ? await api.ask('PUT', path, object) : await api.ask('POST', MAPS, object);
      assert.equal(status, there.has(name) ? 200 : 201);
      there.add(name);
      // The time of all watches is over now and then.
      if (chance.number() < 1 / 500) api.clock.pass(31 * 60_000);
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  isOver = true;
  next.resolve();
  // One for each selector: what does not match it ends nobody's watch.
  await api.ask('POST', MAPS, configMap(LAST, 'even', 'even'));
  const evenState = await trueState(api, 'parity=even');
  const wholeState = await trueState(api, '');
  const settled = watching.filter((_, index) => index % 3 !== 2);
  const seen = await Promise.all(settled);
  await api.ask('PUT', `${MAPS}/${LAST}`, configMap(LAST, 'odd', 'odd'));
  const oddState = await trueState(api, 'parity!=even');
  const others = await Promise.all(watching.filter((_, index) => index % 3 === 2));

  for (const [index, { state }] of seen.entries()) {
    assert.deepEqual(state, index % 2 === 0 ? wholeState : evenState, `watcher ${index}`);
  }
  for (const { state } of others) assert.deepEqual(state, oddState);
  const all = [...seen, ...others];
  assert.ok(all.some(({ disconnects }) => disconnects > 0));
  assert.ok(
    all.some(({ relists }) => relists > 0),
    'somebody was told that its place is forgotten',
  );
  assert.deepEqual(api.failures, []);
});

async function trueState(api: TestApi, selector: string): Promise<Record<string, string>> {
  const { body } = await api.ask('GET', `${MAPS}?labelSelector=${encodeURIComponent(selector)}`);
  return Object.fromEntries(body.items.map((it: any) => [it.metadata.name, it.data.value]).toSorted(byName));
}
