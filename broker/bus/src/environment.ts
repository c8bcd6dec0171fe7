/**
 * Time and chance, as the bus takes them in: one object, so that the real dispatcher runs under a simulated clock too.
 */
export interface Environment {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** Calls once after so many milliseconds; the returned function calls it off. */
  after(milliseconds: number, call: () => void): () => void;
}

/** The machine's own clock and chance. */
export const systemEnvironment: Environment = {
  now: Date.now,
  random: Math.random,
  after(milliseconds, call) {
    // A timer counts 31 bits of milliseconds; what is due later looks again then.
    const timer = setTimeout(call, Math.min(milliseconds, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
