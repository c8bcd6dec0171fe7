import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { systemClock } from '../clock.ts';
import { until } from '../test-support.ts';
import { InstallFailed, openInstaller } from './installer.ts';
import type { Installer } from './installer.ts';
import { openWorkbench } from './installer.fixture.ts';
import type { Workbench } from './installer.fixture.ts';
import { requirementsIn } from './requirements.ts';

const limits = { timeout: 60_000 };

/** An installer with its cache in the folder, and all that it says. */
function open(bench: Workbench, environment = bench.environment) {
  const lines: string[] = [];
  const installer = openInstaller({ cacheFolder: join(bench.folder, 'cache'), environment, clock: systemClock });
  const install = (language: 'node' | 'python', secrets: string[] = [], by: Installer = installer) =>
    by.install(requirementsIn(join(bench.folder, 'code'), language)!, { line: (text) => lines.push(text), secrets });
  return { installer, install, lines };
}

function nodePackage(bench: Workbench): void {
  bench.write('tiny/package.json', '{"name":"tiny","version":"1.0.0","main":"tiny.js"}');
  bench.write('tiny/tiny.js', `module.exports = 'from the package'`);
  bench.write('code/package.json', '{"dependencies":{"tiny":"file:../tiny"}}');
}

function pythonPackage(bench: Workbench): void {
  bench.wheel('tiny', 'TEXT = "from the package"');
  bench.write('code/requirements.txt', '# what it needs\ntiny==1.0\n');
}

const cached = (bench: Workbench, language: string) => readdirSync(join(bench.folder, 'cache', language));

describe('packages', limits, () => {
  test('of a package.json are installed, and say so', async () => {
    using bench = openWorkbench();
    nodePackage(bench);
    const { install, lines } = open(bench);
    const folder = await install('node');
    assert.equal(
      readFileSync(join(folder, 'node_modules/tiny/tiny.js'), 'utf8'),
      `module.exports = 'from the package'`,
    );
    assert.equal(lines[0], 'installing 1 package of package.json …');
    assert.equal(lines.at(-1), 'installed the packages of package.json');
  });

  test('of a requirements.txt are installed where Python finds them', async () => {
    using bench = openWorkbench();
    pythonPackage(bench);
    const { install } = open(bench);
    const folder = await install('python');
    const { stdout } = spawnSync('python3', ['-c', 'import tiny; print(tiny.TEXT)'], {
      env: { ...process.env, PYTHONPATH: folder },
      encoding: 'utf8',
    });
    assert.equal(stdout, 'from the package\n');
  });

  test('are installed once, however many ask at once, and are there for the next process', async () => {
    using bench = openWorkbench();
    pythonPackage(bench);
    const one = open(bench);
    const other = open(bench);
    const folders = await Promise.all([one.install('python'), one.install('python'), other.install('python')]);
    assert.equal(new Set(folders).size, 1);
    const installs = [...one.lines, ...other.lines].filter((line) => line.startsWith('installing'));
    assert.equal(installs.length, 1);
    const later = open(bench);
    assert.deepEqual([await later.install('python'), later.lines], [folders[0], []]);
    assert.equal(cached(bench, 'python').length, 1, 'no lock and no draft is left');
  });

  test('are others when what is asked for is', async () => {
    using bench = openWorkbench();
    nodePackage(bench);
    const { install } = open(bench);
    const first = await install('node');
    bench.write('code/package.json', '{"version":"2.0.0","dependencies":{"tiny":"file:../tiny"}}');
    assert.equal(await install('node'), first, 'a version of its own changes nothing');
    bench.write('tiny/tiny.js', `module.exports = 'changed'`);
    assert.notEqual(await install('node'), first);
  });

  test('that are not there fail with what the installer said, leave nothing, and may come later', async () => {
    using bench = openWorkbench();
    bench.write('code/requirements.txt', 'tiny==1.0\n');
    const { install } = open(bench);
    await assert.rejects(install('python'), (error) => {
      assert.ok(error instanceof InstallFailed);
      assert.match(error.message, /python3 exited with code 1[^]*No matching distribution found for tiny==1\.0/);
      return true;
    });
    assert.deepEqual(cached(bench, 'python'), []);
    bench.wheel('tiny', '');
    assert.ok(existsSync(await install('python')));
  });

  test('that ask for an unknown installer say so', async () => {
    using bench = openWorkbench();
    pythonPackage(bench);
    const { install } = open(bench, { ...bench.environment, PATH: bench.folder });
    await assert.rejects(install('python'), /python3 was not found on the PATH: install it/);
  });

  test('never show a secret, not even that of an address', async () => {
    using bench = openWorkbench();
    bench.write('code/requirements.txt', '--index-url http://user:hidden-password@127.0.0.1:1/simple\nhidden-name\n');
    const { install, lines } = open(bench, {
      ...bench.environment,
      PIP_EXTRA_INDEX_URL: 'http://user:hidden-password@127.0.0.1:1/',
    });
    const failure = await install('python', ['hidden-name']).then(
      () => assert.fail('expected a failure'),
      (error: unknown) => String(error),
    );
    assert.match(failure, /\*\*\*/);
    assert.doesNotMatch(failure + lines.join(), /hidden-/);
  });

  test('see nothing of this process but the way to a registry', async () => {
    using bench = openWorkbench();
    bench.write('bin/python3', '#!/bin/sh\n/usr/bin/env\nexit 1\n');
    bench.write('code/requirements.txt', 'tiny\n');
    spawnSync('chmod', ['+x', join(bench.folder, 'bin/python3')]);
    const { install } = open(bench, {
      PATH: `${join(bench.folder, 'bin')}:/usr/bin:/bin`,
      HTTPS_PROXY: 'http://proxy',
      PIP_TARGET: '/elsewhere',
      AWS_SECRET_ACCESS_KEY: 'x',
    });
    const failure = await install('python').catch((error: unknown) => String(error));
    assert.match(failure, /HTTPS_PROXY=http:\/\/proxy/);
    assert.doesNotMatch(failure, /AWS_SECRET|PIP_TARGET/);
  });

  test('are waited for while another process installs them, unless that is gone', async () => {
    using bench = openWorkbench();
    pythonPackage(bench);
    const { install } = open(bench);
    const folder = await install('python');
    rmSync(folder, { recursive: true });
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(`${folder}.lock`, `${pid} 0`);
    assert.equal(await install('python'), folder);
    assert.deepEqual(cached(bench, 'python').length, 1);

    rmSync(folder, { recursive: true });
    const alive = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    writeFileSync(`${folder}.lock`, `${alive.pid} 0`);
    const waiting = open(bench);
    const installed = waiting.install('python');
    // What the other process does.
    mkdirSync(folder);
    assert.deepEqual([await installed, waiting.lines], [folder, []]);
    alive.kill();
    await once(alive, 'exit');
  });

  test('that take for ever are given up when all is closed', async () => {
    using bench = openWorkbench();
    const told = join(bench.folder, 'told');
    bench.write('bin/python3', `#!/bin/sh\n[ "$1" = -c ] && exit 0\nsleep 1000 &\necho $! > ${told}\nwait\n`);
    bench.write('code/requirements.txt', 'tiny\n');
    spawnSync('chmod', ['+x', join(bench.folder, 'bin/python3')]);
    const { installer, install } = open(bench, { PATH: `${join(bench.folder, 'bin')}:/usr/bin:/bin` });
    const installing = install('python').catch((error: unknown) => String(error));
    await until(() => existsSync(told) && readFileSync(told, 'utf8').endsWith('\n'));
    await installer.close();
    assert.match(await installing, /all is being closed/);
    await until(() => !isAlive(Number(readFileSync(told, 'utf8'))));
    assert.deepEqual(cached(bench, 'python'), []);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
