import type { DatabaseSync } from 'node:sqlite';

/** The version of the tables below. A file of another version is refused, not guessed at. */
export const FORMAT = 1;

const TABLES = `
  -- The objects as they are now.
  CREATE TABLE object (
    api_group TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,      -- '' when the kind is cluster-scoped
    name      TEXT NOT NULL,
    body      ANY NOT NULL,       -- JSON; sealed, as a blob, when it is secret
    sum       INTEGER NOT NULL,   -- CRC-32 of key and body: SQLite does not see a changed byte within a value
    PRIMARY KEY (api_group, kind, namespace, name)
  ) STRICT;

  -- The last changes, one for each version, with what the object was before: what it became is the "before" of its next
  -- change, or what it is now. So each version of an object is kept once.
  CREATE TABLE change (
    version   INTEGER PRIMARY KEY,
    api_group TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    before    ANY,                -- NULL when there was none
    sum       INTEGER
  ) STRICT;

  CREATE TABLE state (
    latest    INTEGER NOT NULL,   -- the version of the last change
    oldest    INTEGER NOT NULL,   -- all changes after this version are in the table
    is_copy   INTEGER NOT NULL,   -- 1 in a copy, which may be older than what clients have seen
    key_check BLOB                -- sealed with the key that the secret bodies are sealed with
  ) STRICT;
  INSERT INTO state VALUES (0, 0, 0, NULL);
`;

/** How far the versions of a copy that is put in place are moved, to be beyond those that clients may have seen. */
const LEAP = 1_000_000_000;

/** Whether there is nothing in it at all, as in a file that is new. */
export function isBlank(database: DatabaseSync): boolean {
  return database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()!['count'] === 0;
}

/** Makes the tables where there are none. Throws when the file is of another version. */
export function prepareTables(database: DatabaseSync, file: string): void {
  if (isBlank(database)) {
    database.exec(`BEGIN IMMEDIATE; ${TABLES}; PRAGMA user_version = ${FORMAT}; COMMIT`);
    return;
  }
  const version = database.prepare('PRAGMA user_version').get()!['user_version'];
  if (version === FORMAT) return;
  throw new Error(
    `${file} was written by another version of Millrace (format ${String(version)}, this one reads ${FORMAT}): use that version, or another data folder`,
  );
}

/**
 * A copy that was put in place: its changes are forgotten and its versions leap ahead, so that who watched what came
 * after it is told to list again, and never takes a new version for one that it has seen.
 */
export function leapWhenCopy(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    DELETE FROM change WHERE (SELECT is_copy FROM state) = 1;
    UPDATE state SET latest = latest + ${LEAP}, oldest = latest + ${LEAP}, is_copy = 0 WHERE is_copy = 1;
    COMMIT`);
}
