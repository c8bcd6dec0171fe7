import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { findCode } from './find-code.ts';

describe('findCode', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-find-'));
    for (const file of [
      'functions/by-file.mts',
      'functions/by-folder/handler.py',
      'functions/by-package/lib/start.cjs',
      'functions/image-name.js',
      'functions/both.ts',
      'functions/both/index.ts',
      'elsewhere/agent/main.py',
      'elsewhere/notes.txt',
      'more/direct.js',
      'more/functions/nested/index.mjs',
    ]) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), '');
    }
    await writeFile(join(folder, 'functions/by-package/package.json'), '{"main":"lib/start.cjs"}');
    await mkdir(join(folder, 'functions/broken-package'));
    await writeFile(join(folder, 'functions/broken-package/package.json'), '{');
  });
  after(() => rm(folder, { recursive: true }));

  const find = (wanted: { service?: string; image?: string; annotation?: string; codeFolder?: string }) =>
    findCode({ namespace: 'default', service: 'none', manifestFolder: folder, ...wanted });
  const found = (language: 'node' | 'python', file: string) => ({ code: { language, file: join(folder, file) } });

  test('finds a file by the name of the service', () => {
    assert.deepEqual(find({ service: 'by-file' }), found('node', 'functions/by-file.mts'));
  });

  test('finds the handler in a folder of that name', () => {
    assert.deepEqual(find({ service: 'by-folder' }), found('python', 'functions/by-folder/handler.py'));
  });

  test('prefers the file to the folder', () => {
    assert.deepEqual(find({ service: 'both' }), found('node', 'functions/both.ts'));
  });

  test('finds the main of a package', () => {
    assert.deepEqual(find({ service: 'by-package' }), found('node', 'functions/by-package/lib/start.cjs'));
  });

  for (const image of ['image-name', 'registry/x/image-name:latest', 'host:5000/image-name@sha256:ab12']) {
    test(`finds the code of the image ${image} by its last part`, () => {
      assert.deepEqual(find({ image }), found('node', 'functions/image-name.js'));
    });
  }

  test('looks at the service before the image', () => {
    assert.deepEqual(find({ service: 'by-file', image: 'image-name' }), found('node', 'functions/by-file.mts'));
  });

  test('takes the annotation before everything else, as a file, a folder or a name', () => {
    for (const annotation of ['elsewhere/agent/main.py', './elsewhere/agent', 'elsewhere/agent/main']) {
      assert.deepEqual(find({ service: 'by-file', annotation }), found('python', 'elsewhere/agent/main.py'));
    }
  });

  test('does not run something else when the annotation leads nowhere', () => {
    assert.deepEqual(find({ service: 'by-file', annotation: 'gone.py' }), { lookedAt: [join(folder, 'gone.py')] });
    assert.deepEqual(find({ annotation: 'elsewhere/notes.txt' }), { lookedAt: [join(folder, 'elsewhere/notes.txt')] });
  });

  test('looks into the code folder last', () => {
    const codeFolder = join(folder, 'more');
    assert.deepEqual(find({ service: 'direct', codeFolder }), found('node', 'more/direct.js'));
    assert.deepEqual(find({ service: 'nested', codeFolder }), found('node', 'more/functions/nested/index.mjs'));
  });

  test('says where it looked', () => {
    assert.deepEqual(find({ service: 'broken-package', image: 'x/y:1', codeFolder: '/code' }), {
      lookedAt: [
        join(folder, 'functions/broken-package'),
        join(folder, 'functions/y'),
        '/code/broken-package',
        '/code/y',
        '/code/functions/broken-package',
        '/code/functions/y',
      ],
    });
  });

  test('never leaves the folders by a name', () => {
    assert.deepEqual(find({ service: '..', image: 'x/..' }), { lookedAt: [] });
  });
});
