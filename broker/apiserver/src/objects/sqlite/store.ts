import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { JournaledStore, systemEnvironment } from '../journaled-store.ts';
import type { ObjectStore } from '../store.ts';
import type { Environment } from '../transaction.ts';
import { bodiesWith } from './bodies.ts';
import { makeCopy } from './copy.ts';
import { sqliteJournal } from './journal.ts';
import { syncFolder } from './key-file.ts';
import { load } from './load.ts';
import { openSeal } from './open-seal.ts';
import { isBlank, leapWhenCopy, prepareTables } from './schema.ts';
import { explained, Unsound } from './trouble.ts';

/** What {@link openSqliteObjects} may be given. */
export interface SqliteObjectsOptions {
  /** Default: the machine's. */
  readonly environment?: Environment;
  /** Is told what a person should know of and what stops nothing. Default: a warning of the process. */
  readonly warn?: (message: string) => void;
}

/**
 * A store in one SQLite file, `objects.db` in the folder (made when it is not there), open to this process only. Beside
 * it are `objects.key`, without which the Secrets in it cannot be read, and `objects.copy.db`: the file as it was when it
 * was last opened and found sound.
 *
 * Throws a `StoreDamaged`, which says how to go on with the copy, when the file is not as it was written; and an
 * error with what to do when it is open elsewhere, of another version, or cannot be used.
 */
export function openSqliteObjects(folder: string, options: SqliteObjectsOptions = {}): ObjectStore {
  const { environment = systemEnvironment, warn = (message) => process.emitWarning(message) } = options;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'objects.db');
  const copy = join(folder, 'objects.copy.db');
  try {
    const database = new DatabaseSync(file);
    try {
      takeOver(database);
      if (isBlank(database) && existsSync(copy)) throw new Unsound('it is empty');
      prepareTables(database, file);
      expectSound(database);
      leapWhenCopy(database);
      const bodies = bodiesWith(openSeal(database, join(folder, 'objects.key')));
      const kept = load(database, bodies);
      if (makeCopy(database, copy) === 'no space') warn(`no space for a copy of ${file}: ${copy} stays as it was`);
      // The database ignores a failed sync of the folder in which its write-ahead log has come to stand.
      syncFolder(folder);
      return new JournaledStore(sqliteJournal(database, bodies), kept, environment);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw explained(error, file, copy);
  }
}

/** Nobody else may open it from here on. */
function takeOver(database: DatabaseSync): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  // The journal does that: the database would not tell of a failed sync.
  database.exec('PRAGMA wal_autocheckpoint = 0');
}

function expectSound(database: DatabaseSync): void {
  const [first] = database.prepare('PRAGMA integrity_check(1)').all();
  if (first?.['integrity_check'] !== 'ok') throw new Unsound(String(first?.['integrity_check']));
}
