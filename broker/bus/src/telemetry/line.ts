import type { Level } from './levels.ts';

/** One record for people: `14:03:07.120 WARN  the attempt failed  route=trigger/shop/mailer status=503`. */
export interface Line {
  /** Milliseconds since 1970; shown as the local time of day. */
  readonly time: number;
  readonly level: Level;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly colour: boolean;
}

const COLOURS: Readonly<Record<Level, number>> = { debug: 90, info: 36, warn: 33, error: 31 };
const DIM = 90;

/** The record as one line, its end included. Nothing in it can end the line early or steer a terminal. */
export function lineOf({ time, level, message, facts, colour }: Line): string {
  const paint = (text: string, code: number) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
  const pairs = Object.entries(facts).map(([key, value]) => ` ${paint(`${plain(key)}=`, DIM)}${valueOf(value)}`);
  const label = paint(level.toUpperCase().padEnd(5), COLOURS[level]);
  const space = pairs.length > 0 ? ' ' : '';
  return `${paint(timeOfDay(time), DIM)} ${label} ${plain(message)}${space}${pairs.join('')}\n`;
}

function timeOfDay(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** Bare where that is clear, else as JSON. */
function valueOf(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"'={}[\],\p{C}]+$/u.test(value)) return value;
  return plain(JSON.stringify(value));
}

/** Control and format characters as escapes: a log is no place to move a cursor or turn the direction of writing. */
function plain(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
