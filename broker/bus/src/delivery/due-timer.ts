import type { Environment } from '../environment.ts';

/** When to look for waiting deliveries next. */
export class DueTimer {
  readonly #environment: Environment;
  readonly #due: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  /** `due` is called when the time has come. */
  constructor(environment: Environment, due: () => void) {
    this.#environment = environment;
    this.#due = due;
  }

  get isDue(): boolean {
    return this.#at <= this.#environment.now();
  }

  /** It is due from now on, until it is {@link reset}. Calls nobody. */
  setDue(): void {
    this.#at = this.#environment.now();
  }

  /** Nothing is expected. */
  reset(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  /** Something is due at this time, in milliseconds since 1970. What is due before it counts first. */
  expect(at: number): void {
    if (at >= this.#at || this.#isStopped) return;
    this.#at = at;
    this.#cancel?.();
    const environment = this.#environment;
    this.#cancel = environment.after(Math.max(0, at - environment.now()), () => {
      // A timer may fire a little before the clock says so; what it was set for is due all the same.
      this.#at = Math.min(this.#at, environment.now());
      this.#due();
    });
  }

  /** Nobody is called any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }
}
