import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import type { StoreDamaged } from '../errors.ts';
import type { ObjectStore } from '../store.ts';
import { change, create, eventsAfter, remove, secretKey, SECRETS, triggerKey, TRIGGERS, update } from '../testing.ts';
import { openSqliteObjects } from './store.ts';
import { temporaryFolder } from './testing.ts';

const ALL = [TRIGGERS, SECRETS];

/** Everything that a store tells. */
function told(store: ObjectStore): unknown {
  return [ALL.map((type) => store.list(type)), eventsAfter(store, '2')];
}

/** Fills a folder, opens it once more so that there is a copy, and tells what is in it. */
async function fill(folder: string): Promise<unknown> {
  const store = openSqliteObjects(folder);
  for (let n = 1; n <= 20; n += 1) await change(store, create(triggerKey(`t-${n}`), { n, text: 'x'.repeat(n * 20) }));
  await change(store, update(triggerKey('t-3'), '3', { n: 'three' }));
  await change(store, remove(triggerKey('t-4'), '4'));
  await change(store, create(secretKey('s'), { password: 'hunter2' }));
  await store.compact(21);
  await store.close();
  const again = openSqliteObjects(folder);
  const all = told(again);
  await again.close();
  return all;
}

function refusalOf(folder: string): StoreDamaged {
  try {
    void openSqliteObjects(folder).close();
  } catch (error) {
    return error as StoreDamaged;
  }
  assert.fail('it was opened');
}

describe('a damaged file of objects', () => {
  for (const [what, spoil] of [
    ['something else', (file: string) => writeFileSync(file, 'hello '.repeat(2000))],
    ['cut off', (file: string) => truncateSync(file, statSync(file).size / 2)],
    ['empty', (file: string) => truncateSync(file, 0)],
    ['gone', (file: string) => rmSync(file)],
  ] as const) {
    test(`that is ${what} is refused; the way out that it tells leads to the last good copy`, async () => {
      using folder = temporaryFolder();
      const file = join(folder.path, 'objects.db');
      await fill(folder.path);
      const later = openSqliteObjects(folder.path);
      const before = ALL.map((type) => later.list(type).items);
      await change(later, create(triggerKey('after-the-copy')));
      await later.close();
      spoil(file);

      const { name, message } = refusalOf(folder.path);
      assert.equal(name, 'StoreDamaged');
      assert.match(message, /objects\.db is damaged \(.+\); the last good copy is of \d{4}-/);
      execSync(/put it in place \((.*)\), start again/.exec(message)![1]!);
      assert.ok(existsSync(join(folder.path, 'damaged/objects.db')));
      const store = openSqliteObjects(folder.path);
      assert.deepEqual(
        ALL.map((type) => store.list(type).items),
        before,
      );
      // Who has seen what came after the copy must not take what is written now for it.
      assert.throws(() => eventsAfter(store, '23'), { name: 'Gone' });
      assert.throws(() => eventsAfter(store, '24'), { name: 'Gone' });
      const { metadata } = await change(store, create(triggerKey('new')));
      assert.ok(Number(metadata.resourceVersion) > 1_000_000_000);
      await store.close();
      const again = openSqliteObjects(folder.path);
      assert.equal(again.resourceVersion, metadata.resourceVersion, 'it leaps only once');
      await again.close();
    });
  }

  test('without a copy is refused with how to begin anew', async () => {
    using folder = temporaryFolder();
    await fill(folder.path);
    writeFileSync(join(folder.path, 'objects.db'), 'hello '.repeat(2000));
    rmSync(join(folder.path, 'objects.copy.db'));
    const { message } = refusalOf(folder.path);
    execSync(/there is no copy of it: put it away \((.*)\), start again/.exec(message)![1]!);
    await openSqliteObjects(folder.path).close();
  });

  test('is never taken for a sound one, whichever byte is another', { timeout: 120_000 }, async (t) => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'objects.db');
    const all = await fill(folder.path);
    const bytes = readFileSync(file);
    const counts = { refused: 0, unharmed: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        const spoiled = Buffer.from(bytes);
        spoiled[at]! ^= difference;
        writeFileSync(file, spoiled);
        rmSync(`${file}-wal`, { force: true });
        let store: ObjectStore;
        try {
          store = openSqliteObjects(folder.path);
        } catch (error) {
          assert.match((error as Error).message, /objects\.(?:db|key) /);
          assert.doesNotMatch((error as Error).message, /hunter2/);
          counts.refused += 1;
          return;
        }
        try {
          // The bytes of what was removed, and free ones, mean nothing.
          if (Number(store.resourceVersion) < 1_000_000_000) assert.deepEqual(told(store), all);
          counts.unharmed += 1;
        } finally {
          await store.close();
        }
      }),
      { numRuns: 400 },
    );
    t.diagnostic(`${counts.refused} refused, ${counts.unharmed} unharmed`);
    assert.ok(counts.refused > 100);
  });

  test('of another version is refused with what to do', async () => {
    using folder = temporaryFolder();
    await fill(folder.path);
    const database = new DatabaseSync(join(folder.path, 'objects.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.match(
      refusalOf(folder.path).message,
      /format 99, this one reads 1\): use that version, or another data folder/,
    );
  });

  test('is told from one that is in use', async () => {
    using folder = temporaryFolder();
    const store = openSqliteObjects(folder.path);
    const { name, message } = refusalOf(folder.path);
    assert.equal(name, 'Error');
    assert.match(message, /objects\.db is in use by another process: stop that one, or use another folder/);
    await change(store, create(triggerKey('a')));
    await store.close();
  });
});
