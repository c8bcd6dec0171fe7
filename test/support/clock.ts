import type { Environment } from '@millrace/bus/environment';

/** Time that stands still until it is advanced, and chance that the test chooses. */
export interface Clock extends Environment {
  /** Lets so many milliseconds pass, and calls what becomes due in its order, each at its own time. */
  advance(milliseconds: number): void;
  /** Resolves once something is to be called at exactly this time (milliseconds since 1970). */
  expecting(time: number): Promise<void>;
}

export interface ClockOptions {
  /** Milliseconds since 1970. Default: the beginning of 2031, so that nothing mistakes it for the machine's clock. */
  readonly start?: number;
  /** From 0 up to 1. Default: always 0, so that waits come without their jitter. */
  readonly random?: () => number;
}

interface Timer {
  readonly dueAt: number;
  readonly call: () => void;
}

/** A simulated {@link Environment}. What is due at once is called in the next turn, as with the machine's clock. */
export function startClock({ start = Date.UTC(2031, 0, 1), random = () => 0 }: ClockOptions = {}): Clock {
  const timers = new Set<Timer>();
  const expectations = new Set<{ time: number; resolve: () => void }>();
  let now = start;

  const takeEarliest = (until: number): Timer | undefined => {
    let earliest: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueAt <= until && (earliest === undefined || timer.dueAt < earliest.dueAt)) earliest = timer;
    }
    if (earliest !== undefined) timers.delete(earliest);
    return earliest;
  };

  return {
    now: () => now,
    random,
    after(milliseconds, call) {
      if (milliseconds <= 0) {
        const immediate = setImmediate(call);
        return () => clearImmediate(immediate);
      }
      const timer = { dueAt: now + milliseconds, call };
      timers.add(timer);
      for (const expectation of expectations) {
        if (expectation.time !== timer.dueAt) continue;
        expectations.delete(expectation);
        expectation.resolve();
      }
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const until = now + milliseconds;
      for (let timer = takeEarliest(until); timer !== undefined; timer = takeEarliest(until)) {
        now = timer.dueAt;
        timer.call();
      }
      now = until;
    },
    expecting(time) {
      if (timers.values().some((timer) => timer.dueAt === time)) return Promise.resolve();
      return new Promise((resolve) => {
        expectations.add({ time, resolve });
      });
    },
  };
}
