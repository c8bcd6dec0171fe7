/** Why a delivery that somebody called off has ended. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** Lets one attempt that is under way be called off: its handler hears of it, and there is no other attempt. */
export class Cancellation {
  #reason: Cancelled | undefined;
  #abort: ((reason: Cancelled) => void) | undefined;

  /** Why it was called off; undefined while it was not. */
  get reason(): Cancelled | undefined {
    return this.#reason;
  }

  /** Calls it off. Idempotent. */
  cancel(): void {
    if (this.#reason !== undefined) return;
    this.#reason = new Cancelled('was cancelled');
    this.#abort?.(this.#reason);
  }

  /** `abort` ends the attempt; it is called once, at once when it is too late already. */
  aborts(abort: (reason: Cancelled) => void): void {
    this.#abort = abort;
    if (this.#reason !== undefined) abort(this.#reason);
  }
}
