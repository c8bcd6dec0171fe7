import type { WatchEvent } from './store.ts';

/**
 * What makes changes last. Each call is done when it returns. One that throws a `StoreFull` has changed nothing; after
 * anything else that it throws nobody knows what is on disk.
 */
export interface Journal {
  /** Keeps the changes, all or none, and the objects as they are then. */
  commit(events: readonly WatchEvent[]): void;
  /** Drops the changes up to a version; the objects stay. */
  forget(upTo: number): void;
  /** The last call. */
  close(): void;
}
