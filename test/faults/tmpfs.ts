import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory, mounted for one test. */
export interface Tmpfs extends Disposable {
  readonly path: string;
}

/** Mounts one with the options of mount(8), such as `size=16m`. */
export function mountTmpfs(options: string): Tmpfs {
  const path = mkdtempSync(join(tmpdir(), 'millrace-tmpfs-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'millrace-test', path]);
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', [path]);
      rmdirSync(path);
    },
  };
}

/** Why no file system can be mounted here, or undefined. */
export function withoutTmpfs(): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount a tmpfs: run this file with sudo';
  const path = mkdtempSync(join(tmpdir(), 'millrace-tmpfs-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'millrace-test', path], { encoding: 'utf8' });
  if (status === 0) execFileSync('umount', [path]);
  rmdirSync(path);
  return status === 0 ? undefined : `this root may not mount a tmpfs: ${stderr.trim()}`;
}
