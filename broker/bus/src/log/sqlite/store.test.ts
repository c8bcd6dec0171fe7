import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { LogBroken } from '../log.ts';
import { draft, failed, storeContract } from '../store.contract.ts';
import { openForWriting } from './schema.ts';
import { openSqliteStore } from './store.ts';
import { tasks } from './tasks.ts';

const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'millrace-log-'));

storeContract('sqlite', async () => {
  const folder = temporaryFolder();
  let store = await openSqliteStore(folder);
  return {
    store,
    async reopen() {
      await store.close();
      store = await openSqliteStore(folder);
      return store;
    },
    async end() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});

test('a folder written by another version is refused with what to do', async () => {
  const folder = temporaryFolder();
  const database = new DatabaseSync(join(folder, 'log.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await assert.rejects(
    openSqliteStore(folder),
    /format 99, this one reads 3\): use that version, or another data folder/,
  );
  rmSync(folder, { recursive: true });
});

/** What a version added, so that a folder can be made one of the version before it. */
const ADDED_AFTER = { 1: ['findable', 'definition'], 2: ['definition'] };

for (const [format, added] of Object.entries(ADDED_AFTER)) {
  test(`a folder of format ${format} is taken over with all that it has`, async () => {
    const folder = temporaryFolder();
    const before = await openSqliteStore(folder);
    const [old] = await before.log.append([draft()]);
    await before.close();
    const database = new DatabaseSync(join(folder, 'log.db'));
    for (const table of added) database.exec(`DROP TABLE ${table}`);
    database.exec(`PRAGMA user_version = ${format}`);
    database.close();
    const store = await openSqliteStore(folder);
    assert.equal(store.log.get(old!.position)!.event.id, old!.event.id);
    const [entry] = await store.log.append([{ ...draft(), findable: true }]);
    assert.equal(store.history.find(entry!.event.id)!.position, entry!.position);
    await store.progress.define('a', 'text');
    assert.deepEqual(store.progress.definitions(), new Map([['a', 'text']]));
    await store.close();
    rmSync(folder, { recursive: true });
  });
}

test('a reply goes with its settlement when that cannot be written', async () => {
  const folder = temporaryFolder();
  const store = await openSqliteStore(folder);
  const [asked] = await store.log.append([draft()]);
  const { position } = asked!;
  // A dead letter without a reason is one that the tables do not take.
  const impossible = failed({ position, root: undefined });
  const reply = draft({ topic: 'replies', cause: { position, route: 'a' } });
  await assert.rejects(store.log.append([reply], impossible), LogBroken);
  assert.equal(store.log.end('replies'), 0);
  await store.close();
  const reopened = await openSqliteStore(folder);
  assert.deepEqual(reopened.history.replies(position), []);
  assert.deepEqual(reopened.history.attempts(position), []);
  await reopened.close();
  rmSync(folder, { recursive: true });
});

test('a route stands where it stood, with all that it had finished beyond, when a crash interrupts putting it back', async () => {
  const folder = temporaryFolder();
  const before = await openSqliteStore(folder);
  const entries = await before.log.append(Array.from({ length: 2_500 }, () => draft()));
  const [stood, beyond] = [entries.at(-2)!.position, entries.at(-1)!.position];
  await before.progress.save([{ route: 'a', position: stood }]);
  await before.progress.settle(entries.map(({ position }) => failed({ position, outcome: 'delivered' })));
  await before.close();
  const database = openForWriting(join(folder, 'log.db'));
  const { id } = database.prepare("SELECT id FROM name WHERE name = 'a'").get() as { id: number };
  // The first of its two transactions, and no more.
  assert.notEqual(tasks(database, { kind: 'rewind', route: id, to: 0, after: 0 }), 0);
  database.close();
  const store = await openSqliteStore(folder);
  assert.deepEqual(store.progress.load('a'), { position: stood, finished: new Set([beyond]) });
  await store.progress.rewind('a', 0);
  assert.deepEqual(store.progress.load('a'), { position: 0, finished: new Set() });
  await store.close();
  rmSync(folder, { recursive: true });
});

test('appends that arrive together are committed in the order in which they came', async () => {
  const folder = temporaryFolder();
  const store = await openSqliteStore(folder);
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 500 }, (_, index) => store.log.append([draft()]).then(() => order.push(index))),
  );
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  await store.close();
  rmSync(folder, { recursive: true });
});
