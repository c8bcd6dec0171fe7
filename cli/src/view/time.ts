const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A duration in milliseconds, short, as kubectl has it in its AGE column: `45s`, `3m20s`, `47m`, `5h12m`, `3d4h`, `90d`
 * (apimachinery, `duration.HumanDuration`). Less than nothing, as of clocks that disagree, is `0s`.
 */
export function humanDuration(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 2 * MINUTE) return whole(time, SECOND, 's');
  if (time < 10 * MINUTE) return twoUnits(time, MINUTE, 'm', SECOND, 's');
  if (time < 3 * HOUR) return whole(time, MINUTE, 'm');
  if (time < 8 * HOUR) return twoUnits(time, HOUR, 'h', MINUTE, 'm');
  if (time < 2 * DAY) return whole(time, HOUR, 'h');
  if (time < 8 * DAY) return twoUnits(time, DAY, 'd', HOUR, 'h');
  if (time < 2 * YEAR) return whole(time, DAY, 'd');
  if (time < 8 * YEAR) return twoUnits(time, YEAR, 'y', DAY, 'd');
  return whole(time, YEAR, 'y');
}

/** How long ago a time (RFC 3339) was: the AGE column. */
export function age(time: string, now: number = Date.now()): string {
  return humanDuration(now - Date.parse(time));
}

/** What a call took, for people: `7ms`, `1.25s`. */
export function latency(milliseconds: number): string {
  return milliseconds < SECOND ? `${Math.round(milliseconds)}ms` : `${(milliseconds / SECOND).toFixed(2)}s`;
}

/** The time of day (local) of a time in RFC 3339: `14:02:03.123`. */
export function clock(time: string): string {
  const at = new Date(time);
  const two = (part: number) => String(part).padStart(2, '0');
  const milliseconds = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}

function whole(time: number, unit: number, name: string): string {
  return `${Math.floor(time / unit)}${name}`;
}

function twoUnits(time: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((time % large) / small);
  return `${whole(time, large, largeName)}${rest === 0 ? '' : `${rest}${smallName}`}`;
}
