/**
 * Aligns lines whose cells end with tabs, as kubectl's pages are: a column is as wide as the widest of its cells in lines
 * that follow each other, and two spaces more. The text after the last tab of a line is not counted.
 */
export function tabColumns(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  align(lines, 0, lines.length, 0);
  return lines.map((cells) => cells.join('').trimEnd()).join('\n');
}

const GAP = 2;

/** Pads the cells of a column in lines that have it, run by run, and within a run the columns after it. */
function align(lines: string[][], from: number, to: number, column: number): void {
  const hasIt = (index: number) => index < to && lines[index]!.length > column + 1;
  for (let start = from; start < to; start++) {
    if (!hasIt(start)) continue;
    let end = start;
    while (hasIt(end)) end += 1;
    const run = lines.slice(start, end);
    const width = Math.max(...run.map((cells) => lengthOf(cells[column]!))) + GAP;
    for (const cells of run) cells[column] += ' '.repeat(width - lengthOf(cells[column]!));
    align(lines, start, end, column + 1);
    start = end - 1;
  }
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
