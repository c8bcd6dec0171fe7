import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openWorkbench } from './installer.fixture.ts';
import { isInstalled, requirementsIn } from './requirements.ts';

describe('what code asks for', () => {
  test('is nothing without a file that says so, or with an empty or unreadable one', () => {
    using bench = openWorkbench();
    assert.equal(requirementsIn(bench.folder, 'python'), undefined);
    assert.equal(requirementsIn(bench.folder, 'node'), undefined);
    bench.write('requirements.txt', '# nothing yet\n--index-url https://x\n');
    bench.write('package.json', '{');
    assert.equal(requirementsIn(bench.folder, 'python'), undefined);
    assert.equal(requirementsIn(bench.folder, 'node'), undefined);
  });

  test('counts packages, and follows further files of requirements', () => {
    using bench = openWorkbench();
    bench.write('requirements.txt', 'flask>=3 # web\n-r more.txt\n-e ./local\n');
    bench.write('more.txt', 'anthropic\n');
    const { count, files, hash } = requirementsIn(bench.folder, 'python')!;
    assert.deepEqual([count, files], [3, ['requirements.txt', 'more.txt']]);
    bench.write('more.txt', 'anthropic==1\n');
    assert.notEqual(requirementsIn(bench.folder, 'python')!.hash, hash);
  });

  test('is there when a node_modules is, or when folders above have every package', () => {
    using bench = openWorkbench();
    const code = bench.folder;
    bench.write('a/b/package.json', '{"dependencies":{"one":"1","@scope/two":"2"}}');
    assert.equal(isInstalled(`${code}/a/b`), false);
    bench.write('node_modules/one/package.json', '{}');
    assert.equal(isInstalled(`${code}/a/b`), false);
    bench.write('a/node_modules/@scope/two/package.json', '{}');
    assert.equal(isInstalled(`${code}/a/b`), true);
    bench.write('other/package.json', '{"dependencies":{"three":"1"}}');
    bench.write('other/node_modules/.keep', '');
    assert.equal(isInstalled(`${code}/other`), true);
  });
});
