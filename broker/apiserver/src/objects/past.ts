import { Gone } from './errors.ts';
import type { WatchEvent } from './store.ts';

/** The last changes: the one of each version after `oldest`, up to `latest`. */
export class Past {
  #oldest: number;
  #events: WatchEvent[];

  /** `events` are those of the versions after `oldest`, one each. */
  constructor(oldest: number, events: readonly WatchEvent[]) {
    this.#oldest = oldest;
    this.#events = [...events];
  }

  /** The version after which every change is known. */
  get oldest(): number {
    return this.#oldest;
  }

  get latest(): number {
    return this.#oldest + this.#events.length;
  }

  /** The change that made a version, which must be after `oldest` and not after `latest`. */
  at(version: number): WatchEvent {
    return this.#events[version - this.#oldest - 1]!;
  }

  push(event: WatchEvent): void {
    this.#events.push(event);
  }

  /** Forgets the changes up to a version. */
  forget(upTo: number): void {
    if (upTo <= this.#oldest) return;
    this.#events = this.#events.slice(upTo - this.#oldest);
    this.#oldest = upTo;
  }

  /** The number of a version that a client names. Throws a {@link Gone} unless all that came after it is known. */
  known(version: string): number {
    const number = /^\d{1,15}$/.test(version) ? Number(version) : -1;
    if (number < this.#oldest || number > this.latest) throw new Gone(version, `${this.#oldest}`, `${this.latest}`);
    return number;
  }
}
