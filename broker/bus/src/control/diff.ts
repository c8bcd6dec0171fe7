/** What to do to get from some named things to others. A changed thing is stopped as it was and started as it is. */
export interface Difference<T> {
  readonly stopped: readonly T[];
  readonly started: readonly T[];
}

/** Compares by name, and things of one name by what they say. */
export function difference<T>(before: readonly T[], after: readonly T[], nameOf: (item: T) => string): Difference<T> {
  const old = new Map(before.map((item) => [nameOf(item), JSON.stringify(item)]));
  const fresh = new Map(after.map((item) => [nameOf(item), JSON.stringify(item)]));
  return {
    stopped: before.filter((item) => fresh.get(nameOf(item)) !== old.get(nameOf(item))),
    started: after.filter((item) => old.get(nameOf(item)) !== fresh.get(nameOf(item))),
  };
}
