import { setImmediate as nextTurn } from 'node:timers/promises';

import type { History } from '../log/history.ts';
import type { Entry, Position } from '../log/log.ts';

const ENTRIES_A_PAGE = 500;

/** The entries of a topic without their data, the newest first, read page by page; between two pages others have their turn. */
export async function* newestFirst(
  history: Pick<History, 'skim'>,
  topic: string,
  below?: Position,
): AsyncGenerator<Entry, void, undefined> {
  for (let before = below; ;) {
    const page = history.skim(topic, { before, limit: ENTRIES_A_PAGE });
    yield* page;
    if (page.length < ENTRIES_A_PAGE) return;
    before = page.at(-1)!.position;
    await nextTurn();
  }
}
