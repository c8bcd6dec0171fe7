const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** How long to wait before a function that keeps crashing is begun again: 0, 1 s, 2 s, 4 s … 30 s. */
export interface Backoff {
  /** How many times in a row it has failed. */
  readonly failures: number;
  /** The milliseconds until it may be begun again. */
  waitMs(): number;
  failed(): void;
  succeeded(): void;
}

/** A backoff that starts without a wait. */
export function makeBackoff(now: () => number): Backoff {
  let failures = 0;
  let notBefore = 0;
  return {
    get failures() {
      return failures;
    },
    waitMs: () => (failures === 0 ? 0 : Math.max(0, notBefore - now())),
    failed() {
      failures += 1;
      const wait = failures === 1 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 2));
      notBefore = now() + wait;
    },
    succeeded() {
      failures = 0;
    },
  };
}
