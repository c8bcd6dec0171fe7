import { CommandFailure } from '../../exit-codes.ts';
import { printable } from '../../view/printable.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+[smhd])+$/;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]|$)/;

/**
 * A moment that a person gave, in milliseconds since 1970: `24h`, `1d12h`, `90s` before now, or a time in RFC 3339.
 * Undefined for anything else.
 */
export function momentOf(text: string, now: number): number | undefined {
  if (DURATION.test(text)) {
    let ago = 0;
    for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g)) ago += Number(count) * UNITS[unit!]!;
    return Math.max(0, now - ago);
  }
  const time = DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** The same; throws a {@link CommandFailure} that names the flag. */
export function momentFor(flag: string, text: string, now: number): number {
  const moment = momentOf(text, now);
  if (moment !== undefined) return moment;
  const expected = 'a duration such as 24h, 30m or 7d, or a time such as 2026-01-31T12:00:00Z';
  throw new CommandFailure('usage', `${flag}: expected ${expected}, got "${printable(text)}"`);
}
