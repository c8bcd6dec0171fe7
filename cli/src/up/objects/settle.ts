import { AlreadyExists, Conflict, NotFound } from '@millrace/apiserver/objects/errors';
import type { Change, ObjectStore } from '@millrace/apiserver/objects/store';
import type { Logger } from '@millrace/bus/telemetry/logger';

/** What has to change in a store as it is, at a time in RFC 3339, to the second. */
export type ChangesFor = (store: ObjectStore, now: string) => readonly Change[];

export interface Settling {
  readonly store: ObjectStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * Writes what has to change until nothing has to any more: what belongs to something new can only be made when that is
 * there, and somebody else may have been faster. A store that is full or broken is told of, and left for the next time:
 * what runs goes on.
 */
export async function settle({ store, now, logger }: Settling, changesFor: ChangesFor): Promise<void> {
  for (;;) {
    const changes = changesFor(store, `${new Date(now()).toISOString().slice(0, 19)}Z`);
    if (changes.length === 0) return;
    try {
      await store.write(changes);
    } catch (error) {
      const isOvertaken = error instanceof Conflict || error instanceof AlreadyExists || error instanceof NotFound;
      if (isOvertaken) continue;
      logger.error(`objects could not be written: ${(error as Error).message}`);
      return;
    }
  }
}
