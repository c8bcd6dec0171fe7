import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { fillFolder, provide } from './component.ts';

const NAMES = ['CI', 'MILLRACE_FETCH'] as const;
const before = NAMES.map((name) => process.env[name]);

describe('a real component', () => {
  beforeEach(() => NAMES.forEach((name) => delete process.env[name]));
  afterEach(() =>
    NAMES.forEach((name, index) => {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    }),
  );

  const recipe = { name: 'Thing 1.0', cached: () => undefined, fetch: async () => 'fetched' };

  test('is the one that the environment gives, else the cached one', async () => {
    assert.deepEqual(await provide({ ...recipe, given: () => 'given', cached: () => 'cached' }), {
      component: 'given',
    });
    assert.deepEqual(await provide({ ...recipe, cached: () => 'cached' }), { component: 'cached' });
  });

  test('is fetched only when that is asked for, else its tests are skipped with the command', async () => {
    assert.deepEqual(await provide(recipe), { skip: 'Thing 1.0 is not fetched yet: run MILLRACE_FETCH=1 npm test' });
    process.env['MILLRACE_FETCH'] = '1';
    assert.deepEqual(await provide(recipe), { component: 'fetched' });
  });

  test('may not be missing under CI', async () => {
    const obstacle = () => 'no java';
    assert.deepEqual(await provide({ ...recipe, obstacle }), { skip: 'Thing 1.0 cannot run here: no java' });
    process.env['CI'] = 'true';
    await assert.rejects(provide({ ...recipe, obstacle }), /Thing 1.0 cannot run here: no java .*CI=true/);
    assert.deepEqual(await provide(recipe), { component: 'fetched' });
  });

  test('a folder that two fill at once is whole, and one that could not be filled is not there', async () => {
    const root = mkdtempSync(join(tmpdir(), 'millrace-component-'));
    try {
      const folder = join(root, 'cache', 'thing');
      await assert.rejects(
        fillFolder(folder, () => Promise.reject(new Error('no network'))),
        /no network/,
      );
      assert.equal(existsSync(folder), false);
      const both = Promise.withResolvers<void>();
      let filling = 0;
      const fill = async (temporary: string) => {
        writeFileSync(join(temporary, 'a'), '');
        filling += 1;
        if (filling === 2) both.resolve();
        await both.promise;
        writeFileSync(join(temporary, 'b'), '');
      };
      await Promise.all([fillFolder(folder, fill), fillFolder(folder, fill)]);
      assert.deepEqual(readdirSync(folder), ['a', 'b']);
      assert.deepEqual(readdirSync(join(root, 'cache')), ['thing']);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
