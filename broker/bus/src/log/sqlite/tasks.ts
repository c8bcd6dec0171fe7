import type { DatabaseSync } from 'node:sqlite';

import type { Position } from '../log.ts';

/** Rare work on what is stored. Keys are pairs of a route's number and a position. */
export type Task =
  | { readonly kind: 'redrive'; readonly keys: readonly (readonly [number, Position])[]; readonly dueAt: number }
  | { readonly kind: 'purge'; readonly keys: readonly (readonly [number, Position])[] }
  | {
      readonly kind: 'rewind';
      readonly route: number;
      readonly to: Position;
      /** Up to here, attempts beyond `to` are forgotten already. */
      readonly after: Position;
    }
  | {
      readonly kind: 'trim';
      /** Per topic number, the position that all its routes have passed. */
      readonly passed: readonly (readonly [number, Position])[];
      readonly before: number;
      readonly maxBytes: number;
    };

/** At most so many entries go in one transaction, so that nobody waits long behind it. */
export const TRIM_AT_ONCE = 2_000;
const FORGOTTEN_AT_ONCE = 2_000;

/** Runs a task inside a transaction; returns how many rows it was about, of a rewind where it has to go on. */
export function tasks(database: DatabaseSync, task: Task): number {
  switch (task.kind) {
    case 'redrive':
      return redrive(database, task.keys, task.dueAt);
    case 'purge':
      return purge(database, task.keys);
    case 'rewind':
      return rewind(database, task);
    case 'trim':
      return trim(database, task);
  }
}

function redrive(database: DatabaseSync, keys: readonly (readonly [number, Position])[], dueAt: number): number {
  const find = database.prepare('SELECT attempts FROM dead WHERE route = ? AND position = ?');
  const remove = database.prepare('DELETE FROM dead WHERE route = ? AND position = ?');
  const wait = database.prepare("INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, 'subscriber', 0, NULL)");
  let count = 0;
  for (const [route, position] of keys) {
    const row = find.get(route, position);
    if (row === undefined) continue;
    wait.run(route, position, Number(row['attempts']) + 1, dueAt);
    remove.run(route, position);
    count += 1;
  }
  return count;
}

function purge(database: DatabaseSync, keys: readonly (readonly [number, Position])[]): number {
  const remove = database.prepare('DELETE FROM dead WHERE route = ? AND position = ?');
  let count = 0;
  for (const [route, position] of keys) count += Number(remove.run(route, position).changes);
  return count;
}

/**
 * Forgets from the oldest on, so that what lies beyond the old position, and would be done twice after a crash, goes last;
 * and moves the position when nothing is left to forget. Returns 0 then.
 */
function rewind(database: DatabaseSync, { route, to, after }: Extract<Task, { kind: 'rewind' }>): Position {
  const select = database.prepare(`
    SELECT DISTINCT position FROM attempt
    WHERE position > ? AND route = ?
      AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.route = attempt.route AND waiting.position = attempt.position)
      AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.route = attempt.route AND dead.position = attempt.position)
    ORDER BY position LIMIT ?`);
  const forget = database.prepare('DELETE FROM attempt WHERE position = ? AND route = ?');
  const positions = select.all(after, route, FORGOTTEN_AT_ONCE).map((row) => row['position'] as number);
  for (const position of positions) forget.run(position, route);
  if (positions.length === FORGOTTEN_AT_ONCE) return positions.at(-1)!;
  database.prepare('UPDATE progress SET position = ? WHERE route = ?').run(to, route);
  return 0;
}

function trim(database: DatabaseSync, task: Extract<Task, { kind: 'trim' }>): number {
  const before = usedBytes(database) > task.maxBytes ? Number.MAX_SAFE_INTEGER : task.before;
  // The newest entry stays: the next start counts on from its position.
  const select = database.prepare(`
    SELECT position FROM entry
    WHERE topic = ? AND position <= ? AND arrived_at < ? AND position < (SELECT max(position) FROM entry)
      AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.position = entry.position)
      AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.position = entry.position)
    ORDER BY position LIMIT ?`);
  const removeEntry = database.prepare('DELETE FROM entry WHERE position = ?');
  const removeAttempts = database.prepare('DELETE FROM attempt WHERE position = ?');
  const removeFindable = database.prepare('DELETE FROM findable WHERE position = ?');
  let count = 0;
  for (const [topic, passed] of task.passed) {
    for (const row of select.all(topic, passed, before, TRIM_AT_ONCE - count)) {
      removeAttempts.run(row['position'] as number);
      removeFindable.run(row['position'] as number);
      removeEntry.run(row['position'] as number);
      count += 1;
    }
  }
  return count;
}

function usedBytes(database: DatabaseSync): number {
  const pragma = (name: string) => Number(database.prepare(`PRAGMA ${name}`).get()![name]);
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}
