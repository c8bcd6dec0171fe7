import type { LogLine } from '@millrace/bus/admin/functions';

import { paint } from '../output.ts';
import { printable } from './printable.ts';
import { clock } from './time.ts';

/** Wide enough for most: a stream cannot know how wide its columns will be. */
const WIDTHS = [12, 10, 6, 12, 0] as const;

/** The header of the lines. */
export const LOG_HEADER = columns(['TIME', 'INSTANCE', 'STREAM', 'EVENT', 'TEXT']);

/** One line that a function wrote; what it wrote to stderr stands out. */
export function logLine(line: Exclude<LogLine, { kind: 'skipped' }>): string {
  const { time, instance, stream, eventId = '-', text } = line;
  const whole = columns([clock(time), instance, stream, eventId, text].map(printable));
  return stream === 'stderr' ? paint('yellow', whole) : whole;
}

function columns(cells: readonly string[]): string {
  return cells
    .map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd();
}
