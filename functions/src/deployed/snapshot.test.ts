import assert from 'node:assert/strict';
import { symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { findCode } from '../find-code.ts';
import type { Wanted } from '../find-code.ts';
import { openWorkbench } from '../packages/installer.fixture.ts';
import type { Workbench } from '../packages/installer.fixture.ts';
import { placed, snapshotOf } from './snapshot.ts';

function look(bench: Workbench, wanted: Partial<Wanted> = {}, except: string[] = []) {
  const found = findCode({ namespace: 'default', service: 'agent', manifestFolder: bench.folder, ...wanted });
  assert.ok('code' in found, JSON.stringify(found));
  return snapshotOf(found, except);
}
const pathsOf = (bench: Workbench, wanted?: Partial<Wanted>) => look(bench, wanted).copy?.files.map((it) => it.path);

describe('a snapshot', () => {
  test('of a file has what it imports relatively, and what that does', () => {
    using bench = openWorkbench();
    bench.write(
      'functions/agent.ts',
      `import { a } from './lib/a.ts';\nconst b = new URL('../prompt.txt', import.meta.url);`,
    );
    bench.write('functions/lib/a.ts', `export { c } from "../c.ts";`);
    for (const path of ['functions/c.ts', 'functions/unused.ts', 'prompt.txt']) bench.write(path, '');
    bench.write('package.json', '{"type":"module"}');
    assert.deepEqual(pathsOf(bench), [
      'functions/agent.ts',
      'functions/c.ts',
      'functions/lib/a.ts',
      'package.json',
      'prompt.txt',
    ]);
  });

  test('of a Python file has the modules and packages beside it', () => {
    using bench = openWorkbench();
    bench.write('functions/agent.py', 'import os, helper\nfrom parts.one import two\n');
    for (const path of ['helper.py', 'parts/__init__.py', 'parts/one.py', 'other.py'])
      bench.write(`functions/${path}`, '');
    bench.write('functions/requirements.txt', 'flask\n');
    assert.deepEqual(pathsOf(bench), [
      'functions/agent.py',
      'functions/helper.py',
      'functions/parts/__init__.py',
      'functions/parts/one.py',
      'functions/requirements.txt',
    ]);
    assert.equal(look(bench).requirements?.count, 1);
  });

  for (const [what, text] of [
    ['asks where it is', 'console.log(import.meta.dirname)'],
    ['imports by a name that is made', 'await import(process.env.NAME)'],
    ['imports from outside of the folder', `import '../../outside.ts'`],
  ] as const) {
    test(`of a file that ${what} is none: it runs where it is`, () => {
      using bench = openWorkbench();
      bench.write('outside.ts', '');
      bench.write('flow/functions/agent.ts', text);
      const { copy, note } = look(bench, { manifestFolder: join(bench.folder, 'flow') });
      assert.equal(copy, undefined);
      assert.match(note, /it runs where it is, as .*: its code cannot be rolled back; give it a folder of its own/);
    });
  }

  test('of a folder has all of it but packages, leftovers and what is hidden; links to folders are no circle', () => {
    using bench = openWorkbench();
    for (const path of [
      'index.mjs',
      'deep/data.json',
      'node_modules/a/a.js',
      '.git/HEAD',
      '__pycache__/a.pyc',
      'data/x',
    ]) {
      bench.write(`functions/agent/${path}`, '');
    }
    symlinkSync('.', join(bench.folder, 'functions/agent/circle'));
    const { copy } = look(bench, {}, [join(bench.folder, 'functions/agent/data')]);
    assert.deepEqual(
      copy?.files.map((it) => it.path),
      ['deep/data.json', 'index.mjs'],
    );
    assert.equal(copy?.entry, 'index.mjs');
  });

  test('of a folder that is too large is none', () => {
    using bench = openWorkbench();
    bench.write('functions/agent/index.mjs', '');
    truncateSync(bench.write('functions/agent/model.bin', ''), 51 * 1024 * 1024);
    const { copy, note } = look(bench);
    assert.equal(copy, undefined);
    assert.match(note, /too large to be copied/);
  });

  test('is another one when a byte, a name or the kind is, and the same elsewhere', () => {
    using bench = openWorkbench();
    using other = openWorkbench();
    for (const { write } of [bench, other]) write('functions/agent/index.mjs', 'one');
    const { hash } = look(bench);
    assert.equal(look(other).hash, hash);
    other.write('functions/agent/index.mjs', 'two');
    assert.notEqual(look(other).hash, hash);
    bench.write('functions/agent/more.mjs', '');
    assert.notEqual(look(bench).hash, hash);
  });

  test('of a program is its folder when that is named, else what its command names', () => {
    using bench = openWorkbench();
    bench.write('app/server.py', '');
    bench.write('app/data.txt', '');
    bench.write('flow.yaml', '');
    const command = ['python3', 'server.py'];
    const { code, copy } = look(bench, { command, annotation: 'app', speaks: 'stdio' });
    assert.deepEqual(
      copy?.files.map((it) => it.path),
      ['data.txt', 'server.py'],
    );
    assert.deepEqual(placed(code, copy, '/copy'), { language: 'program', command, folder: '/copy', speaks: 'stdio' });
    const inPlace = look(bench, { command: ['python3', 'app/server.py'] });
    assert.deepEqual(
      [inPlace.copy, inPlace.code],
      [undefined, { language: 'program', command: ['python3', 'app/server.py'], folder: bench.folder, speaks: 'http' }],
    );
    bench.write('app/server.py', 'changed');
    bench.write('flow.yaml', 'changed');
    assert.notEqual(look(bench, { command: ['python3', 'app/server.py'] }).hash, inPlace.hash);
  });
});
