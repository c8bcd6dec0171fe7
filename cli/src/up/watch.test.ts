import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { watch } from './watch.ts';

/** A folder that is watched; `next` does something and resolves when that has been heard. */
function open(paths: (folder: string) => string[] = (folder) => [folder]) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-watch-'));
  let heard = Promise.withResolvers<void>();
  let times = 0;
  const end = watch({
    paths: () => paths(folder),
    except: [join(folder, 'data')],
    warn: assert.fail,
    async changed() {
      times += 1;
      heard.resolve();
    },
  });
  return {
    at: (name: string) => join(folder, name),
    get times() {
      return times;
    },
    async next(act: () => void) {
      heard = Promise.withResolvers();
      act();
      await heard.promise;
    },
    async [Symbol.asyncDispose]() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe('watching', { timeout: 20_000 }, () => {
  test('hears files that come, change, go, and are put in the place of others', async () => {
    await using watched = open();
    const file = watched.at('a.yaml');
    await watched.next(() => writeFileSync(file, 'one'));
    await watched.next(() => writeFileSync(file, 'two'));
    await watched.next(() => {
      writeFileSync(watched.at('.a.yaml.draft'), 'three');
      renameSync(watched.at('.a.yaml.draft'), file);
    });
    await watched.next(() => writeFileSync(file, 'four, in the file that took the place'));
    await watched.next(() => rmSync(file));
  });

  test('hears folders that come, and those in them', async () => {
    await using watched = open();
    await watched.next(() => mkdirSync(watched.at('more/functions'), { recursive: true }));
    await watched.next(() => writeFileSync(watched.at('more/functions/a.ts'), ''));
  });

  test('hears what is in a folder that was deleted and has come again, or was put in the place of another', async () => {
    await using watched = open((folder) => [join(folder, 'code')]);
    await watched.next(() => mkdirSync(watched.at('code')));
    await watched.next(() => rmSync(watched.at('code'), { recursive: true }));
    await watched.next(() => mkdirSync(watched.at('code')));
    await watched.next(() => writeFileSync(watched.at('code/a.ts'), ''));
    mkdirSync(watched.at('other'));
    await watched.next(() => {
      rmSync(watched.at('code'), { recursive: true });
      renameSync(watched.at('other'), watched.at('code'));
    });
    await watched.next(() => writeFileSync(watched.at('code/b.ts'), ''));
  });

  test('hears of a file and of nothing beside it', async () => {
    await using watched = open((folder) => [join(folder, 'a.yaml')]);
    writeFileSync(watched.at('b.yaml'), '');
    await watched.next(() => writeFileSync(watched.at('a.yaml'), ''));
    assert.equal(watched.times, 1);
  });

  test('hears nothing of packages, hidden files and what it is told to leave out', async () => {
    await using watched = open();
    await watched.next(() => {
      for (const name of ['node_modules', '.git', 'data', 'code']) mkdirSync(watched.at(name));
    });
    const before = watched.times;
    for (const name of ['node_modules/a', '.git/a', 'data/a', 'code/.a.swp']) writeFileSync(watched.at(name), '');
    await watched.next(() => writeFileSync(watched.at('code/a'), ''));
    assert.equal(watched.times, before + 1);
  });

  test('tells once of many changes at a time', async () => {
    await using watched = open();
    await watched.next(() => {
      for (let number = 0; number < 100; number += 1) writeFileSync(watched.at(`${number}`), '');
    });
    assert.equal(watched.times, 1);
  });
});
