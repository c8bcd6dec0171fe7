import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readFolder } from './folder.ts';
import { keyOf } from './resource.ts';

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

describe('a folder', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'manifests-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  const keys = () => readFolder(folder).declared.map(({ resource }) => keyOf(resource));

  test('gives the resources of all its manifests, sorted by name, folders among them', () => {
    mkdirSync(join(folder, 'b'));
    write('c.yaml', configMap('third'));
    write('a.yml', configMap('first'));
    write('b/x.JSON', '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "second"}}');
    write('readme.md', 'not: [a manifest');
    assert.deepEqual(keys(), ['ConfigMap/default/first', 'ConfigMap/default/second', 'ConfigMap/default/third']);
    assert.deepEqual(readFolder(folder).faults, []);
  });

  test('is searched without hidden files and node_modules, and through links to files', () => {
    mkdirSync(join(folder, 'node_modules'));
    mkdirSync(join(folder, '..data'), {});
    write('node_modules/a.yaml', configMap('no'));
    write('..data/a.yaml', configMap('linked'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    assert.deepEqual(keys(), ['ConfigMap/default/linked']);
  });

  test('may be one file, of any name', () => {
    write('manifest', configMap('a'));
    assert.equal(readFolder(join(folder, 'manifest')).declared.length, 1);
  });

  test('tells of what is declared in two files', () => {
    write('a.yaml', configMap('a'));
    write('b.yaml', configMap('a'));
    const [fault] = readFolder(folder).faults;
    assert.equal(fault?.place.file, join(folder, 'b.yaml'));
    assert.ok(fault?.got.includes(join(folder, 'a.yaml')));
  });

  test('that is not there is a fault', () => {
    const file = join(folder, 'none');
    assert.deepEqual(
      readFolder(file).faults.map(({ place, got }) => [place, got]),
      [[{ file, line: 1, column: 1 }, 'ENOENT']],
    );
  });

  test('with a file that cannot be read still gives the others', () => {
    write('a.yaml', Uint8Array.of(0x61, 0xff));
    symlinkSync('nowhere', join(folder, 'b.yaml'));
    symlinkSync('.', join(folder, 'c.yaml'));
    write('d.yaml', configMap('a'));
    const { declared, faults } = readFolder(folder);
    assert.equal(declared.length, 1);
    assert.deepEqual(
      faults.map(({ got }) => got),
      ['ERR_ENCODING_INVALID_ENCODED_DATA', 'ENOENT', 'no file'],
    );
  });
});
