import { AlreadyExists, Conflict, NotFound } from '@millrace/apiserver/objects/errors';
import type { ObjectType } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';

import { changesForNotes, changesForOldEvents } from './object-events.ts';
import type { Note } from './object-events.ts';
import { readinessNote } from './readiness.ts';

/** Between two writings of one Event that happens again and again. */
const AGAIN_AFTER_MS = 10_000;
const CLEAN_EVERY_MS = 60_000;
/** Notes that wait to be written; what comes beyond that is not told. */
const MOST_WAITING = 1_000;

/** Gathers what is worth an Event, and writes it when there is time. */
export interface EventRecorder {
  /** Takes a note in memory. */
  note(note: Note): void;
  /** Writes what was noted, and removes what is old. Rejects when the store does; what was not written is kept. */
  flush(): Promise<void>;
  /** Notes no changes any more. */
  close(): void;
}

/** A recorder that also notes, by itself, which objects of these types become ready or not. `now` in milliseconds since 1970. */
export function eventRecorder(store: ObjectStore, types: readonly ObjectType[], now: () => number): EventRecorder {
  const waiting = new Map<string, Note>();
  const writtenAt = new Map<string, number>();
  let cleanedAt = now();

  function note(next: Note): void {
    const key = [next.about.metadata.uid, next.type, next.reason, next.topic].join('\n');
    const held = waiting.get(key);
    if (held === undefined && waiting.size >= MOST_WAITING) return;
    waiting.set(key, held === undefined ? next : { ...next, count: held.count + next.count });
  }
  const ends = types.map((type) =>
    store.watch(type, undefined, store.resourceVersion, {
      event(change) {
        const noted = readinessNote(change);
        if (noted !== undefined) note(noted);
      },
    }),
  );

  async function write(): Promise<void> {
    const due = [...waiting].filter(([key]) => now() - (writtenAt.get(key) ?? -Infinity) >= AGAIN_AFTER_MS);
    const isTimeToClean = now() - cleanedAt >= CLEAN_EVERY_MS;
    const changes = [
      ...changesForNotes(
        store,
        due.map(([, it]) => it),
        now(),
      ),
      ...(isTimeToClean ? changesForOldEvents(store, now()) : []),
    ];
    if (isTimeToClean) {
      cleanedAt = now();
      for (const [key, at] of writtenAt) if (now() - at >= AGAIN_AFTER_MS) writtenAt.delete(key);
    }
    if (changes.length === 0) return;
    for (const [key] of due) waiting.delete(key);
    try {
      await store.write(changes);
    } catch (error) {
      for (const [, it] of due) note(it);
      throw error;
    }
    for (const [key] of due) writtenAt.set(key, now());
  }

  return {
    note,
    async flush() {
      for (;;) {
        try {
          await write();
          return;
        } catch (error) {
          const isOvertaken = error instanceof Conflict || error instanceof AlreadyExists || error instanceof NotFound;
          if (!isOvertaken) throw error;
        }
      }
    },
    close() {
      for (const end of ends) end();
    },
  };
}
