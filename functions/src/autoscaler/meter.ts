/** What happened since the sample before, which was a second ago. */
export interface Sample {
  /** Calls at once, on average over the time. */
  readonly concurrency: number;
  /** Calls that came. */
  readonly requests: number;
}

/**
 * Measures how many calls there are at once. A call counts for as long as it lasts: one of 250 ms in a second is a
 * concurrency of 0.25 (knative.md §9.2, AverageConcurrentRequests). Times are milliseconds of a clock that does not
 * go back.
 */
export class ConcurrencyMeter {
  #inFlight = 0;
  #requests = 0;
  /** Calls × milliseconds since `#sampled`, counted up to `#counted`. */
  #area = 0;
  #sampled: number;
  #counted: number;

  constructor(now: number) {
    this.#sampled = now;
    this.#counted = now;
  }

  /** Says how many calls there are from now on; called when one comes and when one ends. */
  changed(now: number, inFlight: number): void {
    this.#count(now);
    if (inFlight > this.#inFlight) this.#requests += inFlight - this.#inFlight;
    this.#inFlight = inFlight;
  }

  /** Takes a sample and begins the next. Without time in between it is the calls of this moment. */
  sample(now: number): Sample {
    this.#count(now);
    const elapsed = now - this.#sampled;
    const sample = { concurrency: elapsed > 0 ? this.#area / elapsed : this.#inFlight, requests: this.#requests };
    this.#area = 0;
    this.#requests = 0;
    this.#sampled = now;
    return sample;
  }

  #count(now: number): void {
    this.#area += this.#inFlight * (now - this.#counted);
    this.#counted = now;
  }
}
