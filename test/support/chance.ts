/** Chance that can be had again: the same seed gives the same numbers. */
export interface Chance {
  readonly seed: number;
  /** From 0 up to 1. */
  number(): number;
  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number;
  bytes(length: number): Uint8Array;
}

/** The number that MILLRACE_SEED says; undefined without one, also where it names a document (document.ts). */
export function saidSeed(): number | undefined {
  const said = process.env['MILLRACE_SEED'] ?? '';
  return /^-?\d+$/.test(said) ? Number(said) : undefined;
}

/** Seeded by MILLRACE_SEED, else by the clock; says so on stderr, so that a failure can be had again. */
export function seededChance(): Chance {
  const seed = (saidSeed() ?? Date.now() % 2 ** 31) | 0;
  process.stderr.write(`seed ${seed} (MILLRACE_SEED=${seed} repeats it)\n`);
  return chanceOf(seed);
}

/** Xorshift32 (G. Marsaglia, Xorshift RNGs, 2003). */
export function chanceOf(seed: number): Chance {
  let state = seed === 0 ? 1 : seed;
  const number = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const integer = (least: number, most: number) => least + Math.floor(number() * (most - least + 1));
  return { seed, number, integer, bytes: (length) => Uint8Array.from({ length }, () => integer(0, 255)) };
}
