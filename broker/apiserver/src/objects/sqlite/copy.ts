import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { FULL, resultCode } from './result-code.ts';

/**
 * Puts a copy of the database in the place of the one before it. Tells whether there was space for it; where there was
 * not, the one before it stays. Which of the two is there after a crash is open until the folder is synced.
 */
export function makeCopy(database: DatabaseSync, copy: string): 'made' | 'no space' {
  const unfinished = `${copy}.new`;
  const discard = () => [unfinished, `${unfinished}-journal`].forEach((file) => rmSync(file, { force: true }));
  discard();
  try {
    database.prepare('VACUUM INTO ?').run(unfinished);
    markAsCopy(unfinished);
  } catch (error) {
    discard();
    if (resultCode(error) === FULL) return 'no space';
    throw error;
  }
  renameSync(unfinished, copy);
  return 'made';
}

/** Its commit also syncs what was copied. */
function markAsCopy(file: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA synchronous = FULL; UPDATE state SET is_copy = 1');
  } finally {
    database.close();
  }
}
