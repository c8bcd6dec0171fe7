import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FolderInUse, lockFolder } from './lock.ts';

test('a folder is one process’s own until that process ends, however it ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  const code = `const { lockFolder } = await import(${JSON.stringify(import.meta.resolve('./lock.ts'))}); lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1e6);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  assert.throws(
    () => lockFolder(folder),
    (error) =>
      error instanceof FolderInUse &&
      error.message.includes(`by process ${other.pid} since`) &&
      error.message.includes('--data'),
  );
  other.kill('SIGKILL');
  await once(other, 'exit');
  lockFolder(folder).release();
  lockFolder(folder).release();
  rmSync(folder, { recursive: true });
});
