/** How long a request may be held at its caller's wish, in milliseconds. */
const LONGEST_WAIT_MS = 600_000;
const MS_A_SECOND = 1_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: MS_A_SECOND, m: 60_000 };

/** What `?wait=` expects, for people. */
export const WAIT_EXPECTED = 'wait: expected a duration such as 10s or 500ms, at most 10m';

/** Milliseconds of `10s`, `500ms`, `1m` or plain seconds; 0 when nothing is said, undefined when it cannot be read. */
export function waitAsked(text: string | null): number | undefined {
  if (text === null) return 0;
  const found = /^(\d{1,9})(ms|s|m)?$/.exec(text);
  if (found === null) return undefined;
  const ms = Number(found[1]) * UNITS[found[2] ?? 's']!;
  return ms > LONGEST_WAIT_MS ? undefined : ms;
}

/**
 * Milliseconds of the preference `wait=<seconds>` in a header `Prefer`, at most ten minutes (RFC 7240 §4.3). Undefined
 * when there is none that can be read: who cannot meet a preference ignores it (§2).
 */
export function waitPreferred(prefer: string | readonly string[] | undefined): number | undefined {
  if (prefer === undefined) return undefined;
  const seconds = /(?:^|,)\s*wait\s*=\s*"?(\d+)"?\s*(?:[,;]|$)/i.exec([prefer].flat().join(','))?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * MS_A_SECOND, LONGEST_WAIT_MS);
}
