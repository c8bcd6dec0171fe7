import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Attempt } from '@millrace/bus/log/history';
import type { Entry } from '@millrace/bus/log/log';
import { openSqliteStore } from '@millrace/bus/log/sqlite/store';

/** What a data folder knows of one entry. */
export interface Known {
  readonly entry: Entry;
  readonly attempts: readonly Attempt[];
  /** The routes on which it waits for an attempt. */
  readonly waiting: ReadonlySet<string>;
  /** The routes on which it is a dead letter. */
  readonly dead: ReadonlySet<string>;
  readonly replies: readonly Entry[];
}

/** What a data folder holds that no process has open. */
export interface Past {
  readonly known: readonly Known[];
  /** Whether a route is through with an entry, remembers that it is not, or has still to come to it. */
  isAccountedFor(route: string, known: Known): boolean;
}

/** Copies the log that no process has open: the database, and what of it stands beside it. */
export function copyLog(data: string, to: string): void {
  for (const file of ['log.db', 'log.db-wal']) {
    rmSync(join(to, file), { force: true });
    if (existsSync(join(data, file))) cpSync(join(data, file), join(to, file));
  }
}

/** Reads a copy of a data folder, so that what a crash has left stays as it was left for the next start. */
export async function readPast(data: string): Promise<Past> {
  const copy = mkdtempSync(join(tmpdir(), 'millrace-past-'));
  try {
    copyLog(data, copy);
    const store = await openSqliteStore(copy);
    const { history, deadLetters, progress } = store;
    const known = history
      .entries({ limit: 10_000_000 })
      .toReversed()
      .map((entry): Known => {
        const { position } = entry;
        return {
          entry,
          attempts: history.attempts(position),
          waiting: new Set(history.waitingFor(position).map((it) => it.route)),
          dead: new Set(deadLetters.list({ limit: 100, position }).map((it) => it.route)),
          replies: history.replies(position),
        };
      });
    const names = new Set(known.flatMap((it) => it.attempts.map(({ route }) => route)));
    const positions = new Map([...names].map((route) => [route, progress.load(route)]));
    await store.close();
    return {
      known,
      isAccountedFor(route, { entry, attempts, waiting, dead }) {
        const last = attempts.findLast((it) => it.route === route);
        if (last !== undefined && last.outcome !== 'retrying') return last.outcome !== 'parked' || dead.has(route);
        return waiting.has(route) || entry.position > (positions.get(route)?.position ?? 0);
      },
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
