import { StoreBroken } from '../errors.ts';
import type { ObjectStore } from '../store.ts';
import { create, remove, secretKey, triggerKey, TRIGGERS, update } from '../testing.ts';
import { openSqliteObjects } from './store.ts';

// The process that is killed: `node writer.fixture.ts FOLDER` makes one write after the other, and prints the number of
// each once it is done. How far it had come is in the store. It ends with 7 when the store can take no more, with 8 when
// it cannot be opened, with 0 when nothing has stopped it for too long.

const COUNTER = triggerKey('counter');
const SECRET = secretKey('counter');
const MOST = 60;
// So large that the write-ahead log is copied into the file every few writes.
const FILLER = 'x'.repeat(1_500_000);

/** How many writes there were. Throws when what is there is not what so many writes make. */
export function writesIn(store: ObjectStore): number {
  const counter = store.get(COUNTER);
  if (counter === undefined) {
    if (store.resourceVersion !== '0') throw new Error(`the store is at ${store.resourceVersion} without a counter`);
    return 0;
  }
  const { n } = counter['spec'] as { n: number };
  const numbers = [n, ...(n > 1 ? [n - 1] : [])];
  const expected = ['counter', ...numbers.flatMap((it) => [`a-${it}`, `b-${it}`])].toSorted();
  const found = store.list(TRIGGERS).items.map(({ metadata }) => metadata.name);
  if (found.join() !== expected.join()) throw new Error(`after ${n} writes there are ${found.join()}`);
  const sealed = (store.get(SECRET)!['spec'] as { n: number }).n;
  if (sealed !== n) throw new Error(`after ${n} writes the secret is of ${sealed}`);
  return n;
}

async function write(store: ObjectStore, n: number): Promise<void> {
  const versionOf = (key: typeof COUNTER) => store.get(key)?.metadata.resourceVersion;
  const set = (key: typeof COUNTER, spec: unknown) => {
    const version = versionOf(key);
    return version === undefined ? create(key, spec) : update(key, version, spec);
  };
  const old = [triggerKey(`a-${n - 2}`), triggerKey(`b-${n - 2}`)].filter((key) => versionOf(key) !== undefined);
  await store.write([
    create(triggerKey(`a-${n}`), { n }),
    set(COUNTER, { n, filler: FILLER }),
    ...old.map((key) => remove(key, versionOf(key)!)),
    set(SECRET, { n }),
    create(triggerKey(`b-${n}`), { n }),
  ]);
  if (n % 5 === 0) await store.compact(8);
}

if (import.meta.main) {
  try {
    const store = openSqliteObjects(process.argv[2]!);
    const first = writesIn(store) + 1;
    for (let n = first; n < first + MOST; n += 1) {
      await write(store, n);
      console.log(n);
    }
  } catch (error) {
    console.error(error);
    process.exitCode = error instanceof StoreBroken ? 7 : 8;
  }
}
