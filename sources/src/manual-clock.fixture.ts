import type { Clock } from './ticking.ts';

/** A clock that goes when it is told to. */
export interface ManualClock extends Required<Clock> {
  readonly now: () => number;
  /** Goes on by so many milliseconds; resolves when everything that was due on the way has happened. */
  advance(milliseconds: number): Promise<void>;
  /** Is set to another moment: what waits does not notice until its wait has passed. */
  set(moment: number): void;
  /** How many wait. */
  readonly waiting: () => number;
}

/** A clock that stands at a moment; `spread` is what its chance gives (0 up to 1). Ids are `1`, `2`, `3` … */
export function createManualClock(start: string, spread = 0): ManualClock {
  let moment = Date.parse(start);
  // Waits are told by how much has passed, whatever the clock shows.
  let passed = 0;
  let ids = 0;
  const waits = new Set<{ at: number; end: () => void }>();
  return {
    now: () => moment,
    random: () => spread,
    newId: () => String((ids += 1)),
    waiting: () => waits.size,
    set: (to) => {
      moment = to;
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        const one = {
          at: passed + milliseconds,
          end() {
            waits.delete(one);
            signal.removeEventListener('abort', one.end);
            resolve();
          },
        };
        signal.addEventListener('abort', one.end);
        waits.add(one);
        if (signal.aborted) one.end();
      }),
    async advance(milliseconds) {
      const end = passed + milliseconds;
      for (;;) {
        await settled();
        const [first] = [...waits].filter((it) => it.at <= end).toSorted((one, other) => one.at - other.at);
        const step = (first?.at ?? end) - passed;
        passed += step;
        moment += step;
        if (first === undefined) return;
        first.end();
      }
    },
  };
}

/** What was to follow from what has happened, has. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
