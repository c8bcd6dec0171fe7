/** Why a delivery that somebody called off has ended. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** Why an attempt has ended that comes to nothing: it is neither over nor failed, and is made again later. */
export class GivenBack extends Error {
  override readonly name = 'GivenBack';
}

/** Lets one attempt that is under way be called off: its handler hears of it, and there is no other attempt. */
export class Cancellation {
  #reason: Cancelled | undefined;
  #abort: ((reason: Error) => void) | undefined;

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

  /** Ends the attempt as if it had not begun. */
  giveBack(): void {
    this.#abort?.(new GivenBack('was given back'));
  }

  /** `abort` ends the attempt; it is called at once when it was called off already. */
  aborts(abort: (reason: Error) => void): void {
    this.#abort = abort;
    if (this.#reason !== undefined) abort(this.#reason);
  }
}
