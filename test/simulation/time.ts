import type { Environment } from '@millrace/bus/environment';

import { startClock } from '../support/clock.ts';

/** Simulated time that goes from one thing that is due to the next, as soon as all that could happen before it has. */
export interface Time {
  readonly environment: Environment;
  /** Resolves when nothing more happens at this moment; rejects when that does not come. */
  still(): Promise<void>;
  /** Lets the time pass, and all that is due in it happen. */
  pass(milliseconds: number): Promise<void>;
  /** Resolves as the promise does, after as much time as it takes. Rejects when it would take for ever. */
  until<T>(promise: Promise<T>): Promise<T>;
}

/** Nothing simulated takes so long. */
const FOR_EVER_MS = 3_600_000;
const MOST_TURNS = 10_000;

export function startTime(chances: readonly number[]): Time {
  let drawn = 0;
  const clock = startClock({ random: () => chances[drawn++ % chances.length]! });
  const due = new Set<{ readonly at: number }>();
  let immediates = 0;

  const environment: Environment = {
    now: () => clock.now(),
    random: () => clock.random(),
    after(milliseconds, call) {
      const isImmediate = milliseconds <= 0;
      const timer = { at: clock.now() + milliseconds };
      let isOver = false;
      const end = () => {
        if (isOver) return;
        isOver = true;
        if (isImmediate) immediates -= 1;
        else due.delete(timer);
      };
      if (isImmediate) immediates += 1;
      else due.add(timer);
      const cancel = clock.after(milliseconds, () => {
        end();
        call();
      });
      return () => {
        end();
        cancel();
      };
    },
  };

  const still = async () => {
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      await turn();
      if (immediates > 0) continue;
      await turn();
      return;
    }
    throw new Error('something is always to be done at once: it never becomes still');
  };
  const next = () => due.values().reduce((earliest, { at }) => Math.min(earliest, at), Number.POSITIVE_INFINITY);

  return {
    environment,
    still,
    async pass(milliseconds) {
      const end = clock.now() + milliseconds;
      await still();
      while (next() <= end) {
        clock.advance(next() - clock.now());
        await still();
      }
      clock.advance(end - clock.now());
    },
    async until(promise) {
      let isSettled = false;
      const settle = () => void (isSettled = true);
      promise.then(settle, settle);
      const limit = clock.now() + FOR_EVER_MS;
      await still();
      for (;;) {
        if (isSettled) return promise;
        if (next() > limit) throw new Error('what is waited for does not come');
        clock.advance(next() - clock.now());
        await still();
      }
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
