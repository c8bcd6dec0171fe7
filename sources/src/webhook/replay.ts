import { LRUCache } from 'lru-cache';

/** Lets each id through once. */
export interface ReplayGuard {
  /**
   * Runs `work` unless it has been done under this id before. Resolves when it is done, by this call or by another:
   * who comes while it is being done waits for that one. Rejects when it has failed; then it was not done, and the
   * next call does it. A done id is remembered until `until` (milliseconds since 1970), or until it is pushed out.
   */
  once(id: string, until: number, work: () => Promise<void>): Promise<void>;
}

/** Room for some 100,000 ids of ordinary length, and never more than 16 MiB of text. */
const MAX_SIZE = 16 * 1024 * 1024;
const SIZE_OF_ENTRY = 128;

/** A guard of its own. `now` in milliseconds since 1970. */
export function createReplayGuard(now: () => number): ReplayGuard {
  const done = new LRUCache<string, number>({
    maxSize: MAX_SIZE,
    sizeCalculation: (_until, id) => id.length + SIZE_OF_ENTRY,
  });
  const running = new Map<string, Promise<void>>();
  return {
    async once(id, until, work) {
      if ((done.get(id) ?? 0) > now()) return;
      let run = running.get(id);
      if (run === undefined) {
        run = work()
          .then(() => void done.set(id, until))
          .finally(() => running.delete(id));
        running.set(id, run);
      }
      await run;
    },
  };
}
