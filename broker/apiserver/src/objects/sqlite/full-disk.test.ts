import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { change, create, draft, eventsAfter, triggerKey, TRIGGERS, update } from '../testing.ts';
import { openSqliteObjects } from './store.ts';
import { temporaryFolder, unlessRuns } from './testing.ts';

const MIB = 1024 * 1024;

/** A small disk for one test. */
function smallDisk(size: string): Disposable & { readonly path: string } {
  const folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'millrace-test', folder.path]);
  return {
    path: folder.path,
    [Symbol.dispose]() {
      // Also when a test has failed and a file in it is open.
      execFileSync('umount', ['--lazy', folder.path]);
      folder[Symbol.dispose]();
    },
  };
}

/** Takes all the space that is left. */
function fillUp(disk: string): string {
  const filler = join(disk, 'filler');
  let size = 64 * MIB;
  for (const chunks: Buffer[] = []; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(filler, Buffer.concat([...chunks, Buffer.alloc(size)]), { flag: 'a' });
    } catch {
      // What fitted stays.
    }
  }
  return filler;
}

const skip = unlessRuns('unshare', '--mount', 'mount', '-t', 'tmpfs', 'millrace-test', '/mnt');

describe('a full disk', { skip, timeout: 60_000 }, () => {
  test('refuses a write, leaves everything as it was, and passes without a restart', async () => {
    using disk = smallDisk('8m');
    let store = openSqliteObjects(disk.path);
    const key = triggerKey('grows');
    const first = await change(store, create(key, { text: '' }));
    const told: unknown[] = [];
    store.watch(TRIGGERS, undefined, '1', { event: (event) => told.push(event.object) });
    const filler = fillUp(disk.path);
    const large = [update(key, '1', { text: 'x'.repeat(MIB) }), create(triggerKey('beside'))];
    for (let times = 0; times < 3; times += 1) {
      // Also a write of the same turn that was to be refused for another reason.
      const both = await Promise.allSettled([store.write(large), store.write([create(key)])]);
      for (const one of both) {
        const { name, message } = (one as PromiseRejectedResult).reason as Error;
        assert.equal(name, 'StoreFull');
        assert.match(message, /no space left for the objects/);
      }
      assert.deepEqual(store.list(TRIGGERS), { items: [first], resourceVersion: '1' });
    }
    assert.deepEqual(told, []);

    rmSync(filler);
    const made = await store.write(large);
    assert.deepEqual(told, made);
    await store.close();
    store = openSqliteObjects(disk.path);
    assert.equal(store.resourceVersion, '3');
    assert.equal(eventsAfter(store, '0').length, 3);
    assert.deepEqual(store.get(key), made[0]);
    await store.close();
  });

  test('does not keep an old store from being opened and read; that there is no new copy is told', async () => {
    using disk = smallDisk('8m');
    let store = openSqliteObjects(disk.path);
    const object = await change(store, {
      kind: 'put',
      key: triggerKey('a'),
      object: draft({ text: 'x'.repeat(MIB) }),
      expected: undefined,
    });
    await store.close();
    fillUp(disk.path);
    const warnings: string[] = [];
    store = openSqliteObjects(disk.path, { warn: (message) => warnings.push(message) });
    assert.deepEqual(store.get(triggerKey('a')), object);
    assert.match(warnings.join(), /no space for a copy of .*objects\.db/);
    await assert.rejects(store.write([create(triggerKey('b'), { text: 'x'.repeat(MIB) })]), { name: 'StoreFull' });
    await store.close();
  });

  test('at the very first start is told', () => {
    using disk = smallDisk('64k');
    fillUp(disk.path);
    assert.throws(() => openSqliteObjects(disk.path), /objects\.db.*(full|I\/O)/);
  });
});
