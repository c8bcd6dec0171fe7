import { complaint, show } from './fault.ts';
import type { Rule } from './schema.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
// The averages of the Gregorian calendar, as the period library under Knative takes them.
const YEAR = 365.2425 * DAY;
const MONTH = YEAR / 12;

const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
const PERIOD = new RegExp(
  String.raw`^([+-]?)P(?=\d|T\d)(?:${NUMBER}Y)?(?:${NUMBER}M)?(?:${NUMBER}W)?(?:${NUMBER}D)?` +
    String.raw`(?:T(?=\d)(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}S)?)?$`,
);
const UNITS = [YEAR, MONTH, 7 * DAY, DAY, HOUR, MINUTE, SECOND];

/**
 * The milliseconds of an ISO-8601 period such as `PT0.2S`, `P1DT12H` or `P2W`; undefined when it is none.
 * Years and months count their average lengths; any part may have a fraction; the result is rounded to whole
 * milliseconds and is negative for `-PT1S`.
 */
export function parsePeriod(text: string): number | undefined {
  // The longest period that anyone means is far shorter; longer input is not worth a regular expression.
  const parts = text.length > 100 ? null : PERIOD.exec(text);
  if (parts === null) return undefined;
  let total = 0;
  for (const [index, unit] of UNITS.entries()) {
    total += unit * Number((parts[index + 2] ?? '0').replace(',', '.'));
  }
  const rounded = Math.round(total);
  if (!Number.isSafeInteger(rounded)) return undefined;
  return parts[1] === '-' && rounded !== 0 ? -rounded : rounded;
}

/** The period of so many milliseconds, in hours, minutes and seconds: 90500 → `PT1M30.5S`, 0 → `PT0S`. */
export function formatPeriod(ms: number): string {
  const whole = Math.round(Math.abs(ms));
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const seconds = (whole % MINUTE) / SECOND;
  const parts = [hours > 0 ? `${hours}H` : '', minutes > 0 ? `${minutes}M` : '', seconds > 0 ? `${seconds}S` : ''].join(
    '',
  );
  return `${ms < 0 && whole > 0 ? '-' : ''}PT${parts === '' ? '0S' : parts}`;
}

const GO_PART = /(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;
const GO_UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: SECOND, m: MINUTE, h: HOUR };

/** The milliseconds of a duration as Go writes it (`30s`, `1m30s`, `0`), as annotations use it; undefined when it is none. */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '' || text.length > 100) return undefined;
  const pattern = new RegExp(GO_PART);
  let total = 0;
  while (pattern.lastIndex < text.length) {
    const part = pattern.exec(text);
    if (part === null) return undefined;
    total += Number(part[1]) * (GO_UNITS[part[2] ?? ''] ?? Number.NaN);
  }
  return Math.round(total);
}

/** The rule of a field that holds a period: `least` says which lengths are allowed (Knative differs by field). */
export function periodRule(least: 'zero' | 'more than zero'): Rule<string> {
  const expected = `an ISO-8601 period of ${least === 'zero' ? 'zero or more' : 'more than zero'}, such as "PT0.2S" or "PT1M"`;
  return (text, path, tell) => {
    const ms = parsePeriod(text);
    if (ms !== undefined && (least === 'zero' ? ms >= 0 : ms > 0)) return;
    const go = ms === undefined ? parseGoDuration(text.replaceAll(' ', '').toLowerCase()) : undefined;
    const suggestion = go === undefined ? undefined : `"${formatPeriod(go)}"`;
    tell.fault(complaint(path, expected, show(path, text), { text: `invalid value: ${show(path, text)}`, suggestion }));
  };
}
