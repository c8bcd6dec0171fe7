import { setTimeout } from 'node:timers/promises';

/** What waiting needs of the world; handed in by tests. */
export interface Waiting {
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts; never rejects. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Waits that grow: 0.25 s, 0.5 s, 1 s … up to a maximum, each shortened by up to a fifth so that many do not march in step. */
export interface Backoff {
  /** Resolves when the next try is due, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** The next wait is the shortest again. */
  reset(): void;
}

/** A backoff of its own for one thing that is tried again and again. */
export function createBackoff(maximumMs: number, { random = Math.random, wait = sleep }: Waiting = {}): Backoff {
  let tries = 0;
  return {
    async wait(signal) {
      const wholeMs = Math.min(maximumMs, 250 * 2 ** tries);
      tries += 1;
      await wait(Math.round(wholeMs * (1 - random() / 5)), signal);
    },
    reset() {
      tries = 0;
    },
  };
}

/** The wait of the clock of this machine; see {@link Waiting}. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch {
    // Aborted: whoever waits looks at the signal.
  }
}
