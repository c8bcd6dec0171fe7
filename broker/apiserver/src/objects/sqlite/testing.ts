import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one test. Its name is one that a shell takes apart when it is not quoted. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "millrace objects' "));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** For `skip`: why a command cannot be run here; false when it can. With `CI=true` it throws instead. */
export function unlessRuns(command: string, ...args: string[]): string | false {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return false;
  const reason = `${command} cannot be run here: ${error?.message ?? stderr.trim()}`;
  if (process.env['CI'] === 'true') throw new Error(`${reason} (with CI=true that is a failure)`);
  return reason;
}
