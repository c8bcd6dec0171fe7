import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

import { DEFINE, DELIVERED, ENTRY, FINDABLE, NAME, SAVE, SETTLE } from './group.ts';
import type { Group } from './group.ts';
import { openForWriting } from './schema.ts';
import { tasks } from './tasks.ts';
import type { Task } from './tasks.ts';

/**
 * The thread that writes. One message in is one transaction, synced before its answer goes back.
 * A full disk is an answer like any other; any other failure of a write or sync is the end of this thread's work.
 */

export type Request = { readonly group: Group } | { readonly task: Task } | { readonly close: true };

export type Response =
  | { readonly done: number }
  | { readonly full: string }
  /** Nothing more will be written. */
  | { readonly broken: string };

const { file } = workerData as { file: string };
const port = parentPort!;

// SQLITE_FULL; every other error of a transaction is one after which we can't know what is on disk.
const FULL = 13;
// After about this much, the database's log starts anew. The checkpointer has copied nearly all of it by then.
const WAL_LIMIT = 64 * 1024 * 1024;
// A commit changes at least so many pages of 4 KiB.
const LEAST_PAGES = 4;

let broken = false;

try {
  const database = openForWriting(file);
  const write = groupWriter(database);
  let written = 0;
  port.postMessage({ done: 0 } satisfies Response);
  port.on('message', (request: Request) => {
    if ('close' in request) {
      close(database);
      return;
    }
    port.postMessage(
      transact(database, () => ('group' in request ? write(request.group) : tasks(database, request.task))),
    );
    written += Math.max('group' in request ? request.group.data.byteLength * 2 : 0, LEAST_PAGES * 4096);
    if (written < WAL_LIMIT) return;
    restartWal(database);
    written = 0;
  });
} catch (error) {
  port.postMessage({ broken: (error as Error).message } satisfies Response);
}

function transact(database: DatabaseSync, work: () => number): Response {
  if (broken) return { broken: 'an earlier write failed' };
  try {
    database.exec('BEGIN IMMEDIATE');
    const done = work();
    database.exec('COMMIT');
    return { done };
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    if (errcode === FULL && rolledBack(database)) return { full: message };
    broken = true;
    return { broken: message };
  }
}

function rolledBack(database: DatabaseSync): boolean {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

function restartWal(database: DatabaseSync): void {
  if (broken) return;
  try {
    database.exec('PRAGMA wal_checkpoint(RESTART)');
  } catch (error) {
    // No space for a checkpoint: the commits themselves will say so.
    if ((error as { errcode?: number }).errcode === FULL) return;
    broken = true;
    port.postMessage({ broken: (error as Error).message } satisfies Response);
  }
}

function close(database: DatabaseSync): void {
  try {
    if (!broken) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
  } catch {
    // What is committed is in the log of the database; the next start reads it from there.
  }
  port.close();
}

function groupWriter(database: DatabaseSync): (group: Group) => number {
  const name = database.prepare('INSERT OR IGNORE INTO name VALUES (?, ?)');
  const entry = database.prepare('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const attempt = database.prepare('INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const delivered = database.prepare(
    "INSERT OR REPLACE INTO attempt VALUES (?, ?, 1, 'subscriber', 'delivered', ?, ?, ?, NULL)",
  );
  const wait = database.prepare('INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)');
  const waited = database.prepare('DELETE FROM waiting WHERE route = ? AND position = ?');
  const dead = database.prepare('INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?)');
  const save = database.prepare('INSERT OR REPLACE INTO progress VALUES (?, ?)');
  const findable = database.prepare('INSERT OR REPLACE INTO findable VALUES (?, ?)');
  const define = database.prepare('INSERT OR REPLACE INTO definition VALUES (?, ?)');
  const undefine = database.prepare('DELETE FROM definition WHERE route = ?');

  return ({ values, data }) => {
    let entries = 0;
    for (let at = 0; at < values.length;) {
      switch (values[at]) {
        case NAME:
          name.run(values[at + 1]!, values[at + 2]!);
          at += 3;
          break;
        case ENTRY: {
          const [position, topic, arrivedAt, hops, cause, route, headers, attributes, offset, length] = fields(
            values,
            at,
            10,
          );
          const bytes = (length as number) < 0 ? null : new Uint8Array(data, offset as number, length as number);
          entry.run(position!, topic!, arrivedAt!, hops!, cause!, route!, headers!, attributes!, bytes);
          entries += 1;
          at += 11;
          break;
        }
        case DELIVERED: {
          const [route, position, startedAt, duration, status] = fields(values, at, 5);
          delivered.run(position!, route!, startedAt!, duration!, status!);
          at += 6;
          break;
        }
        case SETTLE:
          settle({ attempt, wait, waited, dead }, fields(values, at, 14));
          at += 15;
          break;
        case SAVE:
          save.run(values[at + 1]!, values[at + 2]!);
          at += 3;
          break;
        case FINDABLE:
          findable.run(values[at + 1]!, values[at + 2]!);
          at += 3;
          break;
        case DEFINE: {
          const [route, definition] = fields(values, at, 2);
          if (definition === null) undefine.run(route!);
          else define.run(route!, definition!);
          at += 3;
          break;
        }
        default:
          throw new Error(`no such record: ${values[at]}`);
      }
    }
    return entries;
  };
}

type Value = Group['values'][number];

function fields(values: Group['values'], at: number, count: number): readonly Value[] {
  return values.slice(at + 1, at + 1 + count);
}

interface SettleStatements {
  readonly attempt: StatementSync;
  readonly wait: StatementSync;
  readonly waited: StatementSync;
  readonly dead: StatementSync;
}

function settle(statements: SettleStatements, record: readonly Value[]): void {
  const [route, position, attempt, stage, outcome, startedAt, duration, status, failure, root, waited, ...next] =
    record as [
      number,
      number,
      number,
      string,
      string,
      number,
      number,
      number | null,
      string | null,
      string | null,
      number,
      number,
      string,
      number,
    ];
  const [dueAt, nextStage, tries] = next;
  statements.attempt.run(position, route, attempt, stage, outcome, startedAt, duration, status, failure);
  if (outcome === 'retrying') {
    statements.wait.run(route, position, attempt + 1, dueAt, nextStage, tries, root);
    return;
  }
  if (waited === 1) statements.waited.run(route, position);
  if (outcome === 'parked') statements.dead.run(route, position, startedAt, attempt, root);
}
