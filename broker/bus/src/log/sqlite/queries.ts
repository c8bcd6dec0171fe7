import type { DatabaseSync } from 'node:sqlite';

import type { DeadLetterQuery, EntryQuery, History } from '../history.ts';
import type { DeadLetter } from '../history.ts';
import type { Names } from './names.ts';
import { attemptOf, deadLetterOf, entryOf, waitingOf } from './rows.ts';
import type { Row } from './rows.ts';

/** Questions about the past, answered from the tables. */
export function openHistory(database: DatabaseSync, names: Names): History {
  const nameOf = (id: number) => names.nameOf(id);
  const find = database.prepare('SELECT entry.* FROM findable JOIN entry USING (position) WHERE findable.id = ?');
  const attempts = database.prepare('SELECT * FROM attempt WHERE position = ? ORDER BY started_at, attempt');
  const replies = database.prepare('SELECT * FROM entry WHERE cause = ? ORDER BY position');
  const waiting = database.prepare('SELECT * FROM waiting WHERE position = ? ORDER BY route');
  const entries = database.prepare(`
    SELECT * FROM entry
    WHERE (:topic IS NULL OR topic = :topic) AND (:before IS NULL OR position < :before)
      AND (:roots = 0 OR cause IS NULL)
      AND (:id IS NULL OR attributes ->> '$.id' = :id)
      AND (:type IS NULL OR attributes ->> '$.type' = :type)
      AND (:source IS NULL OR attributes ->> '$.source' = :source)
    ORDER BY position DESC LIMIT :limit`);
  const skim = database.prepare(`
    SELECT position, topic, arrived_at, hops, cause, route, headers, attributes, NULL AS data FROM entry
    WHERE topic = ? AND position < ? ORDER BY position DESC LIMIT ?`);
  // Retention takes the oldest first, so that its gaps are near the beginning; what it must not take lies between them.
  const isTrimmed = database.prepare(`
    SELECT coalesce(max(position), 0) > count(*) AS trimmed FROM (SELECT position FROM entry ORDER BY position LIMIT 1000)`);
  const firstComplete = database.prepare(`
    SELECT arrived_at FROM entry WHERE topic = ?
      AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.position = entry.position)
      AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.position = entry.position)
    ORDER BY position LIMIT 1`);
  const perRoute = (table: string) => {
    const statement = database.prepare(`SELECT route, count(*) AS count FROM ${table} GROUP BY route`);
    return () =>
      Object.fromEntries(statement.all().map((row) => [nameOf(row['route'] as number), Number(row['count'])]));
  };
  const waitingPerRoute = perRoute('waiting');
  const deadPerRoute = perRoute('dead');
  // Counting rows would read them all; nearly every position between the first and the last is one.
  const span = database.prepare('SELECT coalesce(max(position) - min(position) + 1, 0) AS count FROM entry');

  return {
    entries: (query: EntryQuery) =>
      entries
        .all({
          topic: query.topic === undefined ? null : names.numberOf(query.topic),
          before: query.before ?? null,
          id: query.id ?? null,
          type: query.type ?? null,
          source: query.source ?? null,
          roots: query.roots === true ? 1 : 0,
          limit: query.limit,
        })
        .map((row) => entryOf(row as Row, nameOf)),
    find(id) {
      const row = find.get(id);
      return row === undefined ? undefined : entryOf(row, nameOf);
    },
    skim: (topic, { before = Number.MAX_SAFE_INTEGER, limit }) =>
      skim.all(names.numberOf(topic), before, limit).map((row) => entryOf(row as Row, nameOf)),
    completeSince(topic) {
      if (isTrimmed.get()!['trimmed'] === 0) return undefined;
      return firstComplete.get(names.numberOf(topic))?.['arrived_at'] as number | undefined;
    },
    attempts: (position) => attempts.all(position).map((row) => attemptOf(row as Row, nameOf)),
    replies: (position) => replies.all(position).map((row) => entryOf(row as Row, nameOf)),
    waitingFor: (position) => waiting.all(position).map((row) => waitingOf(row as Row, nameOf)),
    counts: () => ({ entries: Number(span.get()!['count']), waiting: waitingPerRoute(), deadLetters: deadPerRoute() }),
  };
}

/** The dead letters that a query asks for. */
export function deadLetterQuery(
  database: DatabaseSync,
  names: Names,
): (query: DeadLetterQuery) => readonly DeadLetter[] {
  const statement = database.prepare(`
    SELECT entry.*, dead.route AS dead_route, dead.died_at, dead.attempts, dead.failure
    FROM dead JOIN entry USING (position)
    WHERE (:route IS NULL OR dead.route = :route) AND (:position IS NULL OR position = :position)
      AND (:diedBy IS NULL OR dead.died_at <= :diedBy)
    ORDER BY dead.died_at DESC LIMIT :limit`);
  return ({ route, position, diedBy, limit }) =>
    statement
      .all({
        route: route === undefined ? null : names.numberOf(route),
        position: position ?? null,
        diedBy: diedBy ?? null,
        limit,
      })
      .map((row) => deadLetterOf(row as Row, (id) => names.nameOf(id)));
}
