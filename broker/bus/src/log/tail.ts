import type { Entry, Position } from './log.ts';

/**
 * The newest entries of a topic, kept in memory for the readers that are up to date, and the readers that wait for more.
 * Bounded: what is older is read from the store.
 */
export class Tail {
  #entries: Entry[] = [];
  #bytes = 0;
  /** Everything after this position, up to the end, is in `#entries`. */
  #from: Position;
  #end: Position;
  #waiting: (() => void)[] = [];

  constructor(end: Position) {
    this.#from = end;
    this.#end = end;
  }

  get end(): Position {
    return this.#end;
  }

  /** Adds entries that are durable, in order, and wakes whoever waits for them. */
  push(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += sizeOf(entry);
      this.#end = entry.position;
    }
    if (this.#entries.length > MOST_ENTRIES || this.#bytes > MOST_BYTES) this.#forgetHalf();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Keeps nothing up to a position any more: it may be gone from the store. */
  forget(position: Position): void {
    if (position <= this.#from) return;
    this.#keep(this.#entries.slice(this.#indexAfter(position)));
    this.#from = Math.min(position, this.#end);
  }

  /** The entries after a position, or undefined when they are older than what is kept. Empty at the end. */
  after(position: Position, limit: number): readonly Entry[] | undefined {
    if (position < this.#from) return undefined;
    const start = this.#indexAfter(position);
    return start === 0 && limit >= this.#entries.length
      ? this.#entries.slice()
      : this.#entries.slice(start, start + limit);
  }

  /** Resolves at the next push, or when the signal aborts. */
  grown(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.push(wake);
    });
  }

  #indexAfter(position: Position): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetHalf(): void {
    const kept = this.#entries.slice(this.#entries.length >>> 1);
    const first = this.#entries[this.#entries.length - kept.length - 1];
    this.#from = first?.position ?? this.#from;
    this.#keep(kept);
  }

  #keep(kept: Entry[]): void {
    this.#entries = kept;
    this.#bytes = kept.reduce((sum, entry) => sum + sizeOf(entry), 0);
  }
}

const MOST_ENTRIES = 256;
const MOST_BYTES = 8 * 1024 * 1024;

// An entry's attributes and headers take about this much.
const REST_OF_AN_ENTRY = 1_024;

function sizeOf(entry: Entry): number {
  return (entry.event.data?.byteLength ?? 0) + REST_OF_AN_ENTRY;
}
