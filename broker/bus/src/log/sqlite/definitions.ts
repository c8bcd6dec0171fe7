import type { DatabaseSync } from 'node:sqlite';

import type { Progress } from '../progress.ts';
import type { Committer } from './committer.ts';
import type { Names } from './names.ts';

/** A change that is not yet durable. */
interface Change {
  readonly definition: string | undefined;
  readonly written: Promise<void>;
}

/**
 * How routes were last defined: read once, then kept in memory as they are on disk. A new text is compared with the
 * last one that was asked for, which may still be on its way to the disk.
 */
export function openDefinitions(
  database: DatabaseSync,
  names: Names,
  committer: Committer,
): Pick<Progress, 'define' | 'definitions'> {
  const durable = new Map(
    database
      .prepare('SELECT route, definition FROM definition')
      .all()
      .map((row) => [names.nameOf(row['route'] as number), row['definition'] as string]),
  );
  const changing = new Map<string, Change>();

  async function write(route: string, definition: string | undefined): Promise<void> {
    await committer.write((group) => group.define(route, definition), false);
    if (definition === undefined) durable.delete(route);
    else durable.set(route, definition);
  }

  return {
    async define(route, definition) {
      const last = changing.get(route);
      if (last === undefined && durable.get(route) === definition) return;
      if (last !== undefined && last.definition === definition) return last.written;
      const change = { definition, written: write(route, definition) };
      changing.set(route, change);
      try {
        await change.written;
      } finally {
        if (changing.get(route) === change) changing.delete(route);
      }
    },
    definitions: () => new Map(durable),
  };
}
