import type { ObjectTable } from '../objects/reads.ts';
import { printable } from './printable.ts';

/** What of a table is shown. */
export interface TableLook {
  /** Also the columns that are there for those who want more. */
  readonly wide: boolean;
  readonly withNamespace: boolean;
  readonly withLabels: boolean;
  readonly withHeader: boolean;
  /** `trigger.eventing.knative.dev/` before each name. */
  readonly prefix: string;
}

/** Prints the rows of one kind, also those that come later, in columns that stay where they are as long as they can. */
export interface TableWriter {
  /** The lines of these rows; before the first of them, the header. */
  write(table: ObjectTable): string;
}

const GAP = 3;
const SHORTEST = 3;

/** A writer in the manner of kubectl. */
export function tableWriter({ wide, withNamespace, withLabels, withHeader, prefix }: TableLook): TableWriter {
  let columns: { readonly name: string; readonly index: number }[] | undefined;
  let widths: number[] = [];

  function lineOf(texts: readonly string[]): string {
    const padded = texts.map((text, index) =>
      index === texts.length - 1 ? text : text + ' '.repeat(widths[index]! - lengthOf(text)),
    );
    return `${padded.join('').trimEnd()}\n`;
  }
  function cellsOf({ cells, object }: ObjectTable['rows'][number]): string[] {
    const { namespace = '', labels = {} } = object.metadata;
    const own = columns!.map(({ index }) => cellText(cells[index]));
    const first = `${prefix}${own[0] ?? ''}`;
    const marks = Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted((one, other) => (one < other ? -1 : 1));
    return [
      ...(withNamespace ? [namespace] : []),
      first,
      ...own.slice(1),
      ...(withLabels ? [printable(marks.length === 0 ? '<none>' : marks.join(','))] : []),
    ];
  }

  return {
    write({ columnDefinitions, rows }) {
      const isFirst = columns === undefined;
      columns ??= (columnDefinitions ?? [])
        .map(({ name, priority }, index) => ({ name, priority, index }))
        .filter(({ priority }) => wide || priority === 0);
      const header = [
        ...(withNamespace ? ['NAMESPACE'] : []),
        ...columns.map(({ name }) => printable(name.toUpperCase())),
        ...(withLabels ? ['LABELS'] : []),
      ];
      const lines = [...(isFirst && withHeader ? [header] : []), ...rows.map(cellsOf)];
      widths = header.map((_, index) =>
        Math.max(widths[index] ?? SHORTEST + GAP, ...lines.map((line) => lengthOf(line[index] ?? '') + GAP)),
      );
      return lines.map(lineOf).join('');
    },
  };
}

/** A cell is one line, so that a row is; what is cut off is said to be. */
function cellText(cell: unknown): string {
  const text = cell === null || cell === undefined ? '' : typeof cell === 'string' ? cell : JSON.stringify(cell);
  const end = text.search(/[\n\r\f]/);
  return printable(end < 0 ? text : `${text.slice(0, end)}...`);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
