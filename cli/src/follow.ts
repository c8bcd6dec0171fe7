import { setTimeout } from 'node:timers/promises';

import type { AdminClient, Query } from './client.ts';
import { CommandFailure, EXIT } from './exit-codes.ts';

const RECONNECT_MS = 500;

/** What to follow, and who hears how that goes. */
export interface Followed {
  readonly path: string;
  readonly query: Query;
  readonly tell: (text: string) => void;
}

/** The lines of a process and of those that come after it at the same address. Rejects when there is none at first. */
export async function* followed(client: AdminClient, { path, query, tell }: Followed): AsyncGenerator<string> {
  let lines = await client.follow(path, query);
  tell(`following ${client.url} (Ctrl-C ends)`);
  for (;;) {
    yield* untilGone(lines);
    tell(`${client.url} has gone away; waiting for it to come back`);
    lines = await comeBack(() => client.follow(path, query));
    tell(`${client.url} is back`);
  }
}

async function* untilGone(lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch {
    // Broken off or ended: either way it is gone.
  }
}

async function comeBack<T>(follow: () => Promise<T>): Promise<T> {
  for (;;) {
    await setTimeout(RECONNECT_MS);
    try {
      return await follow();
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode !== EXIT.unreachable) throw error;
    }
  }
}
