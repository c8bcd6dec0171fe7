/** What to do to get from some named things to others. A changed thing is stopped as it was and started as it is. */
export interface Difference<T> {
  readonly stopped: readonly T[];
  readonly started: readonly T[];
}

/** Compares by name, and things of one name by what they say. */
export function difference<T extends object>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
): Difference<T> {
  const old = new Map(before.map((item) => [nameOf(item), textOf(item)]));
  const fresh = new Map(after.map((item) => [nameOf(item), textOf(item)]));
  return {
    stopped: before.filter((item) => fresh.get(nameOf(item)) !== old.get(nameOf(item))),
    started: after.filter((item) => old.get(nameOf(item)) !== fresh.get(nameOf(item))),
  };
}

// Plans are plain data that nobody changes, and each is compared twice: with the one before it and the one after.
const texts = new WeakMap<object, string>();

function textOf(item: object): string {
  const text = texts.get(item) ?? JSON.stringify(item);
  texts.set(item, text);
  return text;
}
