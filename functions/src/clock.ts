/** Time, handed in so that a test can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after so many milliseconds; the returned function calls it off. */
  readonly after: (milliseconds: number, call: () => void) => () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: Date.now,
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
