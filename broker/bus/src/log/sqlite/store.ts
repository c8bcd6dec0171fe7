import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { Entry, Log, Position } from '../log.ts';
import type { Progress } from '../progress.ts';
import type { Store } from '../store.ts';
import { Tail } from '../tail.ts';
import { Committer } from './committer.ts';
import { openDefinitions } from './definitions.ts';
import type { GroupBuilder } from './group.ts';
import { Names } from './names.ts';
import { deadLetterQuery, openHistory } from './queries.ts';
import { entryOf, waitingOf } from './rows.ts';
import type { Row } from './rows.ts';
import { openForReading, openForWriting } from './schema.ts';
import { TRIM_AT_ONCE } from './tasks.ts';
import type { Task } from './tasks.ts';

/**
 * A store in one SQLite file, `log.db` in the folder (made when it is not there). Writes go through a thread of their
 * own, grouped; reads are short and happen here. Rejects when the folder or the file cannot be used, with what to do.
 */
export async function openSqliteStore(folder: string): Promise<Store> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'log.db');
  openForWriting(file).close();
  const database = openForReading(file);
  const names = new Names(
    database
      .prepare('SELECT name, id FROM name ORDER BY id')
      .all()
      .map((row) => [row['name'] as string, row['id'] as number]),
  );
  const committer = await Committer.open(file, names);
  const checkpointer = startCheckpointer(file);
  const nameOf = (id: number) => names.nameOf(id);
  const tails = new Map<string, Tail>();

  const log = openLog();
  const progress = openProgress();
  const list = deadLetterQuery(database, names);
  let closing: Promise<void> | undefined;

  return {
    log,
    progress,
    history: openHistory(database, names),
    deadLetters: {
      list,
      redrive: (selected, dueAt) => committer.run({ kind: 'redrive', keys: selected.map(numbered), dueAt }),
      purge: (selected) => committer.run({ kind: 'purge', keys: selected.map(numbered) }),
    },
    async trim({ before, maxBytes, passed }) {
      const task: Task = {
        kind: 'trim',
        passed: [...passed].map(([topic, position]) => [names.numberOf(topic), position]),
        before,
        maxBytes,
      };
      for (const [topic, position] of passed) tails.get(topic)?.forget(position);
      let total = 0;
      for (;;) {
        const count = await committer.run(task);
        total += count;
        if (count < TRIM_AT_ONCE) return total;
      }
    },
    broken: Promise.race([committer.broken, checkpointer.broken]),
    close() {
      closing ??= close();
      return closing;
    },
  };

  async function close(): Promise<void> {
    await checkpointer.close();
    await committer.close();
    database.close();
  }

  function numbered(key: { route: string; position: Position }): [number, Position] {
    return [names.numberOf(key.route), key.position];
  }

  function openLog(): Log {
    const after = database.prepare('SELECT * FROM entry WHERE topic = ? AND position > ? ORDER BY position LIMIT ?');
    const one = database.prepare('SELECT * FROM entry WHERE position = ?');
    const last = database.prepare('SELECT coalesce(max(position), 0) AS position FROM entry');
    const lastOfTopic = database.prepare('SELECT coalesce(max(position), 0) AS position FROM entry WHERE topic = ?');
    const topics = database.prepare(EACH_TOPIC);
    let position = last.get()!['position'] as number;

    const tailOf = (topic: string) => {
      let tail = tails.get(topic);
      if (tail === undefined) {
        tail = new Tail(lastOfTopic.get(names.numberOf(topic))!['position'] as number);
        tails.set(topic, tail);
      }
      return tail;
    };

    return {
      append: (drafts, settlement) =>
        new Promise((resolve, reject) => {
          // A group of nothing would never be sent.
          if (drafts.length === 0 && settlement === undefined) return resolve([]);
          for (const draft of drafts) tailOf(draft.topic);
          // Numbered as it is written: positions must grow in the order of the commits.
          const entries = drafts.map((draft): Entry => ({ ...draft, position: (position += 1) }));
          const write = (group: GroupBuilder) => {
            entries.forEach((entry) => group.entry(entry.position, entry));
            if (settlement !== undefined) group.settle(settlement);
          };
          const committed = () => {
            for (const [topic, those] of byTopic(entries)) tailOf(topic).push(those);
            resolve(entries);
          };
          committer.contribute(write, { committed, failed: reject });
        }),
      async read(topic, from, limit, signal) {
        const tail = tailOf(topic);
        while (!signal.aborted) {
          const recent = tail.after(from, limit);
          if (recent === undefined) {
            const rows = after.all(names.numberOf(topic), from, limit);
            if (rows.length > 0) return rows.map((row) => entryOf(row as Row, nameOf));
          } else if (recent.length > 0) {
            return recent;
          }
          await tail.grown(signal);
        }
        return [];
      },
      get(at) {
        const row = one.get(at);
        return row === undefined ? undefined : entryOf(row, nameOf);
      },
      end: (topic) => tailOf(topic).end,
      topics: () => topics.all().map((row) => nameOf(row['topic'] as number)),
    };
  }

  function openProgress(): Progress {
    const saved = database.prepare('SELECT position FROM progress WHERE route = ?');
    const finished = database.prepare(
      "SELECT position FROM attempt WHERE position > ? AND route = ? AND outcome <> 'retrying'",
    );
    const waiting = database.prepare('SELECT * FROM waiting WHERE route = ? ORDER BY due_at, position LIMIT ?');
    const waitingAt = database.prepare('SELECT * FROM waiting WHERE route = ? AND position = ?');
    const retrying = database.prepare('SELECT position FROM waiting WHERE route = ? AND position > ?');

    return {
      load(route) {
        const number = names.numberOf(route);
        const row = saved.get(number);
        if (row === undefined) return undefined;
        const position = Number(row['position']);
        const beyond = [...finished.all(position, number), ...retrying.all(number, position)];
        return { position, finished: new Set(beyond.map((it) => it['position'] as number)) };
      },
      settle: (settlements) =>
        committer.write(
          (group) => settlements.forEach((settlement) => group.settle(settlement)),
          settlements.every((settlement) => settlement.outcome === 'delivered'),
        ),
      save: (positions) => committer.write((group) => positions.forEach((it) => group.save(it)), false),
      async rewind(route, to) {
        const task = { kind: 'rewind', route: names.numberOf(route), to } as const;
        for (let after = to; ;) {
          const next = await committer.run({ ...task, after });
          if (next === 0) return;
          after = next;
        }
      },
      ...openDefinitions(database, names, committer),
      waiting: (route, limit) => waiting.all(names.numberOf(route), limit).map((row) => waitingOf(row as Row, nameOf)),
      waitingAt(route, position) {
        const row = waitingAt.get(names.numberOf(route), position);
        return row === undefined ? undefined : waitingOf(row, nameOf);
      },
    };
  }
}

// Goes from one topic to the next in the index: reading it from end to end would take as long as there are entries.
const EACH_TOPIC = `
  WITH RECURSIVE each (topic) AS (
    SELECT min(topic) FROM entry
    UNION ALL
    SELECT (SELECT min(topic) FROM entry WHERE topic > each.topic) FROM each WHERE each.topic IS NOT NULL
  )
  SELECT topic FROM each WHERE topic IS NOT NULL`;

function byTopic(entries: readonly Entry[]): Iterable<[string, readonly Entry[]]> {
  const [first] = entries;
  if (first === undefined) return [];
  if (entries.every((entry) => entry.topic === first.topic)) return [[first.topic, entries]];
  return Map.groupBy(entries, (entry) => entry.topic);
}

function startCheckpointer(file: string): { broken: Promise<Error>; close(): Promise<void> } {
  const url = new URL(`./checkpointer${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);
  const worker = new Worker(url, { workerData: { file } });
  const broken = Promise.withResolvers<Error>();
  worker.on('message', (message: { broken: string }) => broken.resolve(new Error(message.broken)));
  worker.on('error', (error) => broken.resolve(error));
  return {
    broken: broken.promise,
    async close() {
      const exited = new Promise((resolve) => {
        worker.once('exit', resolve);
      });
      worker.postMessage('close');
      await exited;
    },
  };
}
