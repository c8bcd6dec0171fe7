import type { DatabaseSync } from 'node:sqlite';

import { StoreFull } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { WatchEvent } from '../store.ts';
import type { Bodies } from './bodies.ts';
import { FULL, resultCode } from './result-code.ts';

// After about this many bytes the write-ahead log is copied into the file and starts anew.
const CHECKPOINT_AT = 4 * 1024 * 1024;
// A change touches about three pages beside what is in it.
const PAGES = 3 * 4096;

/** Keeps changes in a database that nobody else has open. */
export function sqliteJournal(database: DatabaseSync, bodies: Bodies): Journal {
  const remember = database.prepare(`
    INSERT INTO change
    SELECT :version, :group, :kind, :namespace, :name, object.body, object.sum
    FROM (SELECT 1) LEFT JOIN object
      ON api_group = :group AND kind = :kind AND namespace = :namespace AND name = :name`);
  const put = database.prepare(`
    INSERT INTO object VALUES (:group, :kind, :namespace, :name, :body, :sum)
    ON CONFLICT DO UPDATE SET body = excluded.body, sum = excluded.sum`);
  const remove = database.prepare(
    'DELETE FROM object WHERE api_group = :group AND kind = :kind AND namespace = :namespace AND name = :name',
  );
  const reach = database.prepare('UPDATE state SET latest = ?');
  const forget = database.prepare('DELETE FROM change WHERE version <= ?');
  const begin = database.prepare('UPDATE state SET oldest = ?');
  let written = 0;

  function keep({ type, key, object }: WatchEvent): void {
    const { group, kind, namespace, name } = key;
    const place = { group, kind, namespace, name };
    const version = Number(object.metadata.resourceVersion);
    remember.run({ ...place, version });
    reach.run(version);
    if (type === 'DELETED') {
      remove.run(place);
      written += PAGES;
      return;
    }
    const body = bodies.encode(key, object);
    put.run({ ...place, ...body });
    written += PAGES + body.body.length;
  }

  function checkpointWhenDue(): void {
    if (written < CHECKPOINT_AT) return;
    checkpoint(database);
    written = 0;
  }

  return {
    commit(events) {
      // Before the changes, so that a sync that fails here is not one of theirs.
      checkpointWhenDue();
      transact(database, () => events.forEach(keep));
    },
    forget(upTo) {
      checkpointWhenDue();
      transact(database, () => {
        written += Number(forget.run(upTo).changes) * PAGES;
        begin.run(upTo);
      });
    },
    // What it does not copy into the file by then, the next start reads from the write-ahead log.
    close: () => database.close(),
  };
}

function transact(database: DatabaseSync, work: () => void): void {
  try {
    database.exec('BEGIN IMMEDIATE');
    work();
    database.exec('COMMIT');
  } catch (error) {
    // For some errors the database has done so by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    if (resultCode(error) !== FULL) throw error;
    throw new StoreFull(`no space left for the objects (${(error as Error).message})`);
  }
}

/** By our own hand: when a sync fails in one that the database begins by itself, it does not tell. */
function checkpoint(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // No space for a checkpoint: the commits themselves will say so.
    if (resultCode(error) !== FULL) throw error;
  }
}
