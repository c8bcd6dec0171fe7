const SLOT_MS = 10_000;
const SLOTS = 6;

/** How often something happens: the last minute, in slots of ten seconds. Times are milliseconds since 1970, never falling. */
export class Rate {
  readonly #counts: number[] = Array.from({ length: SLOTS }, () => 0);
  #slot = 0;

  /** It has happened. */
  add(now: number): void {
    this.#turn(now);
    this.#counts[this.#slot % SLOTS]! += 1;
  }

  /** How often it has happened in the last minute. */
  perMinute(now: number): number {
    this.#turn(now);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #turn(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot <= this.#slot) return;
    for (let passed = Math.max(this.#slot + 1, slot - SLOTS + 1); passed <= slot; passed += 1)
      this.#counts[passed % SLOTS] = 0;
    this.#slot = slot;
  }
}
