import { paint } from '../output.ts';
import type { Style } from '../output.ts';
import { printable } from './printable.ts';

/** What stands in a cell; nothing where there is none. It is made printable here. */
export type Cell = string | number | undefined | { readonly text: string; readonly style: Style };

const GAP = '   ';

/** Rows under a header in aligned columns, as kubectl prints them: never wrapped, the last column ragged. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [header, ...rows.map((row) => row.map(textOf))];
  const widths = header.map((_, column) => Math.max(...texts.map((row) => lengthOf(row[column] ?? ''))));
  return texts
    .map((row, index) => {
      const cells = row.map((text, column) => {
        const cell = index === 0 ? undefined : rows[index - 1]?.[column];
        const style = typeof cell === 'object' ? cell.style : undefined;
        const padding = column === row.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - lengthOf(text));
        return `${style === undefined ? text : paint(style, text)}${padding}`;
      });
      return `${cells.join(GAP).trimEnd()}\n`;
    })
    .join('');
}

/** Names and values one below the other, as `kubectl describe` prints them; those without a value are left out. */
export function fields(pairs: readonly (readonly [name: string, value: Cell])[]): string {
  const present = pairs.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...present.map(([name]) => lengthOf(name)));
  return present
    .map(([name, value]) => {
      const text = textOf(value);
      const shown = typeof value === 'object' ? paint(value.style, text) : text;
      return `${name}:${' '.repeat(width - lengthOf(name))}  ${shown}\n`;
    })
    .join('');
}

/** The same lines, each two spaces further in. */
export function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

function textOf(cell: Cell): string {
  return printable(String((typeof cell === 'object' ? cell.text : cell) ?? ''));
}

function lengthOf(text: string): number {
  // By code points: a name beyond the Basic Multilingual Plane must not shift the columns.
  return Array.from(text).length;
}
