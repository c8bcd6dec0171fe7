import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

// As a person's machine is: without what this checkout has installed, and without what its npm has told this process.
const ENVIRONMENT = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|MILLRACE_|INIT_CWD)/.test(name)),
  ),
  PATH: process.env['PATH']!.split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter),
  MILLRACE_PORT: '0',
  MILLRACE_ADMIN_PORT: '0',
};

const skip = existsSync(join(ROOT, '.git')) ? false : 'this is no git checkout';

test('a fresh clone needs its two commands and nothing else', { skip, timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clone-'));
  try {
    const cloned = spawnSync('git', ['clone', '--quiet', ROOT, folder], { encoding: 'utf8' });
    assert.equal(cloned.status, 0, cloned.stderr);

    const start = spawn('npm', ['start'], {
      cwd: folder,
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const exited = new Promise((resolve) => {
      start.once('exit', resolve);
    });
    let said = '';
    try {
      await new Promise<void>((resolve, reject) => {
        const hear = (chunk: Buffer) => {
          said += String(chunk);
          if (said.includes('look at the dead letters')) resolve();
        };
        start.stdout.on('data', hear);
        start.stderr.on('data', hear);
        start.once('exit', () => reject(new Error(`npm start ended:\n${said}`)));
      });
      const [, url] = /curl -i (http:\S+) /.exec(said)!;
      const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/clone', 'ce-type': 'com.example.cloned' };
      const response = await fetch(url!, { method: 'POST', headers });
      assert.equal(response.status, 202);
    } finally {
      process.kill(-start.pid!, 'SIGINT');
      await exited;
    }
    const tested = spawnSync('npm', ['test', '--', 'broker/event/src/codec'], {
      cwd: folder,
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    assert.match(tested.stdout, /\n\d+ passed, 0 failed, 0 skipped\n$/, tested.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
