import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import type { ObjectDraft } from '../object.ts';
import { change, eventsAfter, remove, secretKey, SECRETS } from '../testing.ts';
import { openSqliteObjects } from './store.ts';
import { temporaryFolder } from './testing.ts';

const KEY = secretKey('webhook');

/** A Secret as `kubectl apply` makes it: an annotation repeats the data. */
function secretOf(text: string): ObjectDraft {
  const data = { password: Buffer.from(text).toString('base64') };
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ data }) };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { annotations }, data, stringData: { plain: text } };
}

/** Neither the text nor its base64 may be in any file. */
function expectSealed(folder: string, text: string): void {
  const files = readdirSync(folder);
  assert.ok(files.includes('objects.db'));
  for (const file of files) {
    const bytes = readFileSync(join(folder, file));
    for (const traitor of [text, Buffer.from(text).toString('base64')]) {
      assert.equal(bytes.includes(traitor), false, `${file} holds the secret`);
    }
  }
}

describe('a Secret', () => {
  test('is nowhere on disk in plain: not now, not in what it was, not in the copy', async () => {
    using folder = temporaryFolder();
    let store = openSqliteObjects(folder.path);
    await change(store, { kind: 'put', key: KEY, object: secretOf('hunter2-first'), expected: undefined });
    await change(store, { kind: 'put', key: KEY, object: secretOf('hunter2-second'), expected: '1' });
    expectSealed(folder.path, 'hunter2-');
    await store.close();
    expectSealed(folder.path, 'hunter2-');

    store = openSqliteObjects(folder.path);
    assert.equal((store.get(KEY)!['stringData'] as { plain: string }).plain, 'hunter2-second');
    const past: unknown[] = [];
    store.watch(SECRETS, undefined, '0', { event: ({ object }) => past.push(object['stringData']) });
    assert.deepEqual(past, [{ plain: 'hunter2-first' }, { plain: 'hunter2-second' }]);
    await change(store, remove(KEY, '2'));
    assert.deepEqual(eventsAfter(store, '0'), []);
    await store.close();
    await openSqliteObjects(folder.path).close();
    expectSealed(folder.path, 'hunter2-');
  });

  test('that is put in the place of another in the file is not taken for it', async () => {
    using folder = temporaryFolder();
    const store = openSqliteObjects(folder.path);
    for (const name of ['a', 'b']) {
      await change(store, { kind: 'put', key: secretKey(name), object: secretOf(name), expected: undefined });
    }
    await store.close();
    const database = new DatabaseSync(join(folder.path, 'objects.db'));
    database.exec("UPDATE object SET body = (SELECT body FROM object WHERE name = 'b') WHERE name = 'a'");
    database.close();
    assert.throws(() => openSqliteObjects(folder.path), { name: 'StoreDamaged', message: /Secret\/default\/a/ });
  });
});

describe('the key of the Secrets', () => {
  for (const [what, spoil, says] of [
    ['missing', (file: string) => rmSync(file), /objects\.key is missing.*put it back from a backup/],
    ['another one', (file: string) => writeFileSync(file, Buffer.alloc(32)), /is not the key .*put the right one back/],
    ['too short', (file: string) => writeFileSync(file, 'short'), /must have 32 bytes, and has 5/],
    ['open to others', (file: string) => chmodSync(file, 0o640), /mode 0600, and has 0640: chmod 600/],
  ] as const) {
    test(`that is ${what} is refused with what to do, and harms nothing`, async () => {
      using folder = temporaryFolder();
      const store = openSqliteObjects(folder.path);
      await change(store, { kind: 'put', key: KEY, object: secretOf('hunter2'), expected: undefined });
      await store.close();
      const file = join(folder.path, 'objects.key');
      const key = readFileSync(file);
      spoil(file);
      assert.throws(() => openSqliteObjects(folder.path), says);
      rmSync(file, { force: true });
      writeFileSync(file, key, { mode: 0o600 });
      const again = openSqliteObjects(folder.path);
      assert.deepEqual(again.get(KEY)!['stringData'], { plain: 'hunter2' });
      await again.close();
    });
  }

  test('is for its owner only', async () => {
    using folder = temporaryFolder();
    await openSqliteObjects(folder.path).close();
    assert.equal(statSync(join(folder.path, 'objects.key')).mode & 0o777, 0o600);
  });
});
