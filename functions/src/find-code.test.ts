import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { findCode } from './find-code.ts';
import type { Wanted } from './find-code.ts';

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
      'functions/resize.sh',
      'functions/resize.txt',
      'functions/binary',
      'functions/tool/main',
      'more/direct.js',
      'more/functions/nested/index.mjs',
    ]) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), '');
    }
    for (const file of ['resize.sh', 'binary', 'tool/main']) await chmod(join(folder, 'functions', file), 0o755);
    await writeFile(join(folder, 'functions/by-package/package.json'), '{"main":"lib/start.cjs"}');
    await mkdir(join(folder, 'functions/broken-package'));
    await writeFile(join(folder, 'functions/broken-package/package.json'), '{');
  });
  after(() => rm(folder, { recursive: true }));

  const find = (wanted: Partial<Wanted>) =>
    findCode({ namespace: 'default', service: 'none', manifestFolder: folder, ...wanted });
  const found = (language: 'node' | 'python', file: string, root = '.') => ({
    code: { language, file: join(folder, file) },
    folder: undefined,
    root: join(folder, root),
  });
  const foundIn = (at: string, language: 'node' | 'python', file: string) => ({
    ...found(language, join(at, file), at),
    folder: join(folder, at),
  });

  test('finds a file by the name of the service', () => {
    assert.deepEqual(find({ service: 'by-file' }), found('node', 'functions/by-file.mts'));
  });

  test('finds the handler in a folder of that name', () => {
    assert.deepEqual(find({ service: 'by-folder' }), foundIn('functions/by-folder', 'python', 'handler.py'));
  });

  test('prefers the file to the folder', () => {
    assert.deepEqual(find({ service: 'both' }), found('node', 'functions/both.ts'));
  });

  test('finds the main of a package', () => {
    assert.deepEqual(find({ service: 'by-package' }), foundIn('functions/by-package', 'node', 'lib/start.cjs'));
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
    for (const annotation of ['elsewhere/agent/main.py', 'elsewhere/agent/main']) {
      assert.deepEqual(find({ service: 'by-file', annotation }), found('python', 'elsewhere/agent/main.py'));
    }
    const annotation = './elsewhere/agent';
    assert.deepEqual(find({ service: 'by-file', annotation }), foundIn('elsewhere/agent', 'python', 'main.py'));
  });

  test('does not run something else when the annotation leads nowhere', () => {
    assert.deepEqual(find({ service: 'by-file', annotation: 'gone.py' }), { lookedAt: [join(folder, 'gone.py')] });
    assert.deepEqual(find({ annotation: 'elsewhere/notes.txt' }), { lookedAt: [join(folder, 'elsewhere/notes.txt')] });
  });

  test('looks into the code folder last', () => {
    const codeFolder = join(folder, 'more');
    assert.deepEqual(find({ service: 'direct', codeFolder }), found('node', 'more/direct.js'));
    assert.deepEqual(find({ service: 'nested', codeFolder }), foundIn('more/functions/nested', 'node', 'index.mjs'));
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

  const program = (command: string[], at: string, more: { speaks?: 'stdio' } = {}) => ({
    language: 'program',
    command,
    folder: join(folder, at),
    speaks: more.speaks ?? 'http',
  });

  test('takes a file of any other kind that may be executed', () => {
    const script = join(folder, 'functions/resize.sh');
    assert.deepEqual(find({ service: 'resize', speaks: 'stdio', arguments: ['-q'] }), {
      code: program([script, '-q'], 'functions', { speaks: 'stdio' }),
      folder: undefined,
      root: folder,
    });
    const binary = find({ service: 'binary' });
    assert.deepEqual('code' in binary && binary.code, program([join(folder, 'functions/binary')], 'functions'));
    const tool = find({ service: 'tool' });
    assert.deepEqual('code' in tool && tool.code, program([join(folder, 'functions/tool/main')], 'functions/tool'));
  });

  test('runs a command in the annotated folder, else in that of the manifest', () => {
    const command = { service: 'by-file', command: ['python3', 'app.py'], arguments: ['--fast'] };
    assert.deepEqual(find(command), {
      code: program(['python3', 'app.py', '--fast'], '.'),
      folder: undefined,
      root: folder,
    });
    assert.deepEqual(find({ ...command, annotation: 'elsewhere' }), {
      code: program(['python3', 'app.py', '--fast'], 'elsewhere'),
      folder: join(folder, 'elsewhere'),
      root: join(folder, 'elsewhere'),
    });
    assert.deepEqual(find({ ...command, annotation: 'gone' }), { lookedAt: [join(folder, 'gone')] });
  });

  test('never leaves the folders by a name', () => {
    assert.deepEqual(find({ service: '..', image: 'x/..' }), { lookedAt: [] });
  });
});
