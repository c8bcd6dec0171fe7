/** What stands for every value beyond the limit. */
export const OTHER = 'other';

/**
 * Makes something for each value when it is first asked for, and keeps it: looking a metric up costs more than counting.
 * Beyond `limit` values (default: none) all others share one, made for {@link OTHER}: what strangers send must not fill
 * the memory.
 */
export function kept<T>(make: (value: string) => T, limit = Number.POSITIVE_INFINITY): (value: string) => T {
  const known = new Map<string, T>();
  let shared: T | undefined;
  return (value) => {
    const found = known.get(value);
    if (found !== undefined) return found;
    if (known.size >= limit) return (shared ??= make(OTHER));
    const made = make(value);
    known.set(value, made);
    return made;
  };
}
