const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Up to `below` milliseconds an age is shown in `unit`, and in the rest of it where that is named. */
const SCALES: readonly { below: number; unit: [number, string]; rest?: [number, string] }[] = [
  { below: 2 * MINUTE, unit: [SECOND, 's'] },
  { below: 10 * MINUTE, unit: [MINUTE, 'm'], rest: [SECOND, 's'] },
  { below: 3 * HOUR, unit: [MINUTE, 'm'] },
  { below: 8 * HOUR, unit: [HOUR, 'h'], rest: [MINUTE, 'm'] },
  { below: 2 * DAY, unit: [HOUR, 'h'] },
  { below: 8 * DAY, unit: [DAY, 'd'], rest: [HOUR, 'h'] },
  { below: 2 * YEAR, unit: [DAY, 'd'] },
  { below: 8 * YEAR, unit: [YEAR, 'y'], rest: [DAY, 'd'] },
  { below: Infinity, unit: [YEAR, 'y'] },
];

/** An age in milliseconds as kubectl shows it: `47s`, `3m12s`, `5h`, `2y40d`. A future of more than a second is `<invalid>`. */
export function showAge(milliseconds: number): string {
  if (!(milliseconds > -2 * SECOND)) return '<invalid>';
  const age = Math.max(milliseconds, 0);
  const { unit, rest } = SCALES.find(({ below }) => age < below)!;
  const whole = Math.floor(age / unit[0]);
  const left = rest === undefined ? 0 : Math.floor((age % unit[0]) / rest[0]);
  return left === 0 ? `${whole}${unit[1]}` : `${whole}${unit[1]}${left}${rest![1]}`;
}
