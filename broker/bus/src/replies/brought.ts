import type { Cause, Entry, Position } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';

/** What the log tells of a run. */
export type Told =
  | { readonly entered: Entry; readonly cause: Cause }
  /** What became of an attempt. */
  | { readonly settled: Settlement };

/** What a delivery has brought. */
export interface Brought {
  readonly entry: Entry;
  /** What was told of it, and of what came of it, since. */
  readonly told: readonly Told[];
}

interface Kept extends Brought {
  readonly told: Told[];
  /** Its own, and those of what came of it. */
  readonly positions: Position[];
}

export interface BroughtOptions {
  readonly watch: (position: Position) => void;
  readonly forget: (position: Position) => void;
}

/**
 * Entries that deliveries have brought while it is not told yet how those ended: each may be a reply or a dead letter.
 * Deliveries overlap, so what comes of an entry may be told before that, and is kept until then.
 */
export class BroughtEntries {
  readonly #options: BroughtOptions;
  readonly #byDelivery = new Map<string, Kept>();
  readonly #byPosition = new Map<Position, Kept>();

  constructor(options: BroughtOptions) {
    this.#options = options;
  }

  get positions(): Iterable<Position> {
    return this.#byPosition.keys();
  }

  add(entry: Entry, delivery: Cause): void {
    const kept: Kept = { entry, told: [], positions: [] };
    this.#byDelivery.set(keyOf(delivery), kept);
    this.#at(entry.position, kept);
  }

  /** Keeps what is told of one of these, or of what came of one. False when it is of none. */
  keep(told: Told): boolean {
    const kept = this.#byPosition.get('settled' in told ? told.settled.position : told.cause.position);
    if (kept === undefined) return false;
    kept.told.push(told);
    if ('entered' in told) this.#at(told.entered.position, kept);
    return true;
  }

  /** Gives what a delivery has brought, as it is told how that ended; undefined when it has brought nothing. */
  release(delivery: Cause): Brought | undefined {
    const key = keyOf(delivery);
    const kept = this.#byDelivery.get(key);
    if (kept === undefined) return undefined;
    this.#byDelivery.delete(key);
    for (const position of kept.positions) {
      this.#byPosition.delete(position);
      this.#options.forget(position);
    }
    return kept;
  }

  #at(position: Position, kept: Kept): void {
    kept.positions.push(position);
    this.#byPosition.set(position, kept);
    this.#options.watch(position);
  }
}

function keyOf({ position, route }: Cause): string {
  return `${position} ${route}`;
}
