import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The data folder belongs to another process. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/**
 * Makes a data folder (created when it is not there) this process's own until `release`, or until the process ends in
 * whatever way. Throws a {@link FolderInUse} that names the process that has it.
 *
 * The lock is SQLite's on a file of its own: the operating system takes it back when the process dies, so nothing stale
 * is ever left behind, as a file with a process id would be.
 */
export function lockFolder(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true });
  const holder = join(folder, 'process.json');
  const database = new DatabaseSync(join(folder, 'lock.db'));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new FolderInUse(
      `the data folder ${folder} is in use${byWhom(holder)}: stop that process, or use another folder (--data)`,
    );
  }
  writeFileSync(holder, JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() }));
  return {
    release() {
      rmSync(holder, { force: true });
      database.close();
    },
  };
}

const SQLITE_BUSY = 5;

function byWhom(holder: string): string {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(holder, 'utf8')) as { pid: number; startedAt: string };
    return ` by process ${pid} since ${startedAt}`;
  } catch {
    return '';
  }
}
