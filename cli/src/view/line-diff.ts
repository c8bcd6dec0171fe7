/** A line of two texts: in both, only in the first (`-`), only in the second (`+`). */
interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

const CONTEXT = 3;
/** With more differences than that, what differs is shown as a whole: looking for less takes quadratic time. */
const MOST_EDITS = 1_000;

/** The differences between two texts as hunks of a unified diff, without the names above; empty when there is none. */
export function lineDiff(before: string, after: string): string {
  const lines = compare(linesOf(before), linesOf(after));
  return hunksOf(lines)
    .map(({ from, to }) => hunk(lines, from, to))
    .join('');
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function hunksOf(lines: readonly Line[]): { from: number; to: number }[] {
  const hunks: { from: number; to: number }[] = [];
  for (const [index, { mark }] of lines.entries()) {
    if (mark === ' ') continue;
    const last = hunks.at(-1);
    const to = Math.min(index + 1 + CONTEXT, lines.length);
    if (last !== undefined && index - CONTEXT <= last.to) last.to = to;
    else hunks.push({ from: Math.max(0, index - CONTEXT), to });
  }
  return hunks;
}

function hunk(lines: readonly Line[], from: number, to: number): string {
  const shown = lines.slice(from, to);
  const range = (other: '-' | '+') => {
    const before = lines.slice(0, from).filter(({ mark }) => mark !== other).length;
    const count = shown.filter(({ mark }) => mark !== other).length;
    const start = count === 0 ? before : before + 1;
    return count === 1 ? `${start}` : `${start},${count}`;
  };
  const body = shown.map(({ mark, text }) => `${mark}${text}\n`).join('');
  return `@@ -${range('+')} +${range('-')} @@\n${body}`;
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (texts: readonly string[]) => texts.map((text): Line => ({ mark: ' ', text }));
  return [
    ...same(before.slice(0, head)),
    ...edits(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ];
}

/** The fewest lines that have to go and come (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986). */
function edits(before: readonly string[], after: readonly string[]): Line[] {
  const reach = new Map<number, number>([[1, 0]]);
  const steps: Map<number, number>[] = [];
  for (let count = 0; count <= Math.min(before.length + after.length, MOST_EDITS); count++) {
    steps.push(new Map(reach));
    for (let diagonal = -count; diagonal <= count; diagonal += 2) {
      let x = comesDown(reach, diagonal, count) ? reach.get(diagonal + 1)! : reach.get(diagonal - 1)! + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      reach.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return walkBack(before, after, steps);
    }
  }
  return [...before.map((text): Line => ({ mark: '-', text })), ...after.map((text): Line => ({ mark: '+', text }))];
}

function comesDown(reach: ReadonlyMap<number, number>, diagonal: number, count: number): boolean {
  return diagonal === -count || (diagonal !== count && reach.get(diagonal - 1)! < reach.get(diagonal + 1)!);
}

function walkBack(before: readonly string[], after: readonly string[], steps: readonly Map<number, number>[]): Line[] {
  const lines: Line[] = [];
  let [x, y] = [before.length, after.length];
  for (const [count, reach] of [...steps.entries()].toReversed()) {
    const diagonal = x - y;
    const previous = comesDown(reach, diagonal, count) ? diagonal + 1 : diagonal - 1;
    const startX = reach.get(previous)!;
    const startY = startX - previous;
    while (x > startX && y > startY && x > 0 && y > 0) {
      lines.push({ mark: ' ', text: before[x - 1]! });
      [x, y] = [x - 1, y - 1];
    }
    if (count === 0) break;
    lines.push(x === startX ? { mark: '+', text: after[y - 1]! } : { mark: '-', text: before[x - 1]! });
    [x, y] = [startX, startY];
  }
  return lines.toReversed();
}
