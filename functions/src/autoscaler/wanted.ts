/** How many instances, and why, for people: the rule that had the last word. */
export interface Wanted {
  readonly instances: number;
  readonly reason: string;
}

/** Raised to `least`, for that reason, when it is below. */
export function atLeast(least: number, wanted: Wanted, reason: string): Wanted {
  return wanted.instances < least ? { instances: least, reason } : wanted;
}

/** Lowered to `most`, for that reason, when it is above. */
export function atMost(most: number, wanted: Wanted, reason: string): Wanted {
  return wanted.instances > most ? { instances: most, reason } : wanted;
}
