import type { TailLine } from '@millrace/bus/admin/tail';
import type { EntryView } from '@millrace/bus/admin/views';

import { paint } from '../output.ts';
import type { Style } from '../output.ts';
import { printable } from './printable.ts';
import { clock, latency } from './time.ts';

const COLUMNS = ['TIME', 'POSITION', 'OUTCOME', 'STATUS', 'LATENCY', 'TYPE', 'ROUTE', 'REASON'] as const;
/** Wide enough for most: a stream cannot know how wide its columns will be. */
const WIDTHS = [12, 8, 12, 6, 7, 28, 28, 0] as const;
const OUTCOME = 2;

/** The header of the lines. */
export const TAIL_HEADER = COLUMNS.map((name, column) => name.padEnd(WIDTHS[column] ?? 0))
  .join('  ')
  .trimEnd();

/** One short line for an event or an attempt. */
export function tailLine(line: Exclude<TailLine, { kind: 'skipped' }>): string {
  if (line.kind === 'event') {
    const { arrivedAt, position, type } = line.event;
    return columns([clock(arrivedAt), position, 'accepted', '', '', type, '', originOf(line.event)]);
  }
  const { startedAt, position, outcome, status, duration, type, route, message } = line;
  return columns([clock(startedAt), position, outcome, status, latency(duration), type, route, message]);
}

function originOf({ source, id, cause }: EntryView): string {
  return cause === undefined ? `from ${source}, id ${id}` : `reply to ${cause.position} of ${cause.route}`;
}

const STYLES: Readonly<Record<string, Style>> = {
  accepted: 'cyan',
  delivered: 'green',
  retrying: 'yellow',
  deadLettered: 'red',
  parked: 'red',
  cancelled: 'dim',
};

function columns(cells: readonly (string | number | undefined)[]): string {
  return cells
    .map((cell, column) => {
      const text = printable(String(cell ?? ''));
      const style = column === OUTCOME ? STYLES[text] : undefined;
      const padded = text.padEnd(WIDTHS[column] ?? 0);
      return style === undefined ? padded : paint(style, padded);
    })
    .join('  ')
    .trimEnd();
}
