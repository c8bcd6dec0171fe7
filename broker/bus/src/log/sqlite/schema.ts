import { DatabaseSync } from 'node:sqlite';

/** The version of the tables below. A data folder of another version is refused, not guessed at. */
export const SCHEMA_VERSION = 3;

const TABLES = `
  -- Topics and routes by number, so that no other row repeats their names.
  CREATE TABLE name (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE
  );

  -- The log. Rows are only ever added at the end, and removed from the beginning.
  CREATE TABLE entry (
    position   INTEGER PRIMARY KEY,
    topic      INTEGER NOT NULL,
    arrived_at INTEGER NOT NULL,
    hops       INTEGER NOT NULL,
    cause      INTEGER,            -- the position of the entry that this is a reply to ...
    route      INTEGER,            -- ... and the route that brought it
    headers    TEXT,               -- JSON object
    attributes TEXT NOT NULL,      -- JSON object
    data       BLOB
  );
  CREATE INDEX entry_topic ON entry (topic);
  CREATE INDEX entry_cause ON entry (cause) WHERE cause IS NOT NULL;

  -- Where routes stand.
  CREATE TABLE progress (
    route    INTEGER PRIMARY KEY,
    position INTEGER NOT NULL
  );

  -- Every attempt that was made. The last one of a delivery tells whether it is finished.
  CREATE TABLE attempt (
    position   INTEGER NOT NULL,
    route      INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    stage      TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    duration   REAL NOT NULL,
    status     INTEGER,
    failure    TEXT,               -- JSON object
    PRIMARY KEY (position, route, attempt)
  ) WITHOUT ROWID;

  CREATE TABLE waiting (
    route    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    stage    TEXT NOT NULL,
    tries    INTEGER NOT NULL,
    failure  TEXT,
    PRIMARY KEY (route, position)
  ) WITHOUT ROWID;
  CREATE INDEX waiting_due ON waiting (route, due_at);
  CREATE INDEX waiting_position ON waiting (position);

  CREATE TABLE dead (
    route    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    died_at  INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failure  TEXT NOT NULL,
    PRIMARY KEY (route, position)
  ) WITHOUT ROWID;
  CREATE INDEX dead_position ON dead (position);
`;

/** What version 2 has beside that. An older folder gets what it lacks when it is opened. */
const FINDABLE = `
  -- Entries that are found by the id of their event.
  CREATE TABLE findable (
    id       TEXT PRIMARY KEY,
    position INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX findable_position ON findable (position);
`;

/** What version 3 has beside that. */
const DEFINITION = `
  -- How a route was last defined, where that must outlive the manifest.
  CREATE TABLE definition (
    route      INTEGER PRIMARY KEY,
    definition TEXT NOT NULL
  );
`;

/** What each version adds to the one before it. */
const STEPS = [TABLES, FINDABLE, DEFINITION];

/** Opens the file for writing, and makes the tables where there are none. Throws when its version is another. */
export function openForWriting(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000');
  // Checkpoints run on a thread of their own: a commit must not pay for them.
  database.exec('PRAGMA wal_autocheckpoint = 0');
  const version = database.prepare('PRAGMA user_version').get()!['user_version'];
  if (typeof version === 'number' && version < SCHEMA_VERSION) {
    database.exec(`BEGIN IMMEDIATE; ${STEPS.slice(version).join('')}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } else if (version !== SCHEMA_VERSION) {
    database.close();
    throw new Error(
      `${file} was written by another version of Millrace (format ${String(version)}, this one reads ${SCHEMA_VERSION}): use that version, or another data folder`,
    );
  }
  return database;
}

/** Opens the file, which must exist, for reading beside a writer. */
export function openForReading(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  database.exec('PRAGMA cache_size = -8000');
  return database;
}
