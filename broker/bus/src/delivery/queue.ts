import { partitionKey } from '@millrace/event/event';

import type { Entry, Position } from '../log/log.ts';

/** Entries that a route has taken and not begun yet. */
export interface Queue {
  readonly size: number;
  push(entry: Entry): void;
  /** The next that may begin, or undefined. */
  take(): Entry | undefined;
  /** Tells that an entry which was taken is finished for good. */
  release(entry: Entry): void;
  /**
   * Tells that an entry which never was in the queue is unfinished: those that must come after it wait. To be called in
   * the order of the log, before anything is taken.
   */
  block(entry: Entry): void;
  /** Whether an entry that never was in the queue, or was taken before, may begin (again) now. If so, it is unfinished. */
  claim(entry: Entry): boolean;
}

/** First come, first served. */
export function openUnorderedQueue(): Queue {
  const entries: Entry[] = [];
  return {
    get size() {
      return entries.length;
    },
    push: (entry) => void entries.push(entry),
    take: () => entries.shift(),
    release() {},
    block() {},
    claim: () => true,
  };
}

/**
 * One at a time for each partition key, in the order of the log. Events without a key are one such sequence. Keys do not
 * wait for each other, as long as what is held for busy ones leaves room for more.
 */
export function openOrderedQueue(): Queue {
  const lanes = new Map<string, Lane>();
  let size = 0;

  const laneOf = (entry: Entry) => {
    const key = partitionKey(entry.event) ?? '';
    const lane = lanes.get(key) ?? { key, waiting: [], unfinished: new Set<Position>() };
    lanes.set(key, lane);
    return lane;
  };

  return {
    get size() {
      return size;
    },
    push(entry) {
      laneOf(entry).waiting.push(entry);
      size += 1;
    },
    take() {
      for (const lane of lanes.values()) {
        if (lane.unfinished.size > 0) continue;
        const entry = lane.waiting.shift();
        if (entry === undefined) continue;
        lane.unfinished.add(entry.position);
        // The others first, next time.
        lanes.delete(lane.key);
        lanes.set(lane.key, lane);
        size -= 1;
        return entry;
      }
      return undefined;
    },
    release(entry) {
      const lane = laneOf(entry);
      lane.unfinished.delete(entry.position);
      if (lane.unfinished.size === 0 && lane.waiting.length === 0) lanes.delete(lane.key);
    },
    block(entry) {
      laneOf(entry).unfinished.add(entry.position);
    },
    claim(entry) {
      const { unfinished } = laneOf(entry);
      if (unfinished.size === 0) unfinished.add(entry.position);
      // Several are unfinished only when they were blocked, in the order of the log: the first goes first.
      const [first] = unfinished;
      return first === entry.position;
    },
  };
}

interface Lane {
  readonly key: string;
  readonly waiting: Entry[];
  readonly unfinished: Set<Position>;
}
