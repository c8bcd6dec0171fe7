import { readFileSync } from 'node:fs';

/** A page of the documentation, taken apart. */
export interface Page {
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Targets of its links, as written. */
  readonly links: readonly string[];
  /** The folder of manifests that its commands are run with: and flags beside it: `<!-- with: FOLDER FLAGS -->`. */
  readonly manifests: string;
}

/** A fenced block. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
  /** Why it is not run: `<!-- not run: REASON -->` on the line before it. */
  readonly notRun: string | undefined;
}

const MANIFESTS = 'manifests/examples/support-tickets';

/** Reads a page of Markdown. */
export function readPage(file: string): Page {
  const text = readFileSync(file, 'utf8');
  const prose: string[] = [];
  const blocks: Block[] = [];
  let open: { language: string; lines: string[]; line: number; notRun: string | undefined } | undefined;
  let before = '';
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(\w*)\s*$/.exec(line);
    if (open !== undefined) {
      if (fence === null) open.lines.push(line);
      else {
        blocks.push({ language: open.language, text: open.lines.join('\n'), line: open.line, notRun: open.notRun });
        open = undefined;
      }
    } else if (fence === null) prose.push(line);
    else
      open = { language: fence[1]!, lines: [], line: index + 2, notRun: /^<!-- not run: (.+) -->$/.exec(before)?.[1] };
    if (line.trim() !== '') before = line;
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block is not closed`);
  // What stands between backticks is shown, not meant.
  const links = prose
    .join('\n')
    .replaceAll(/`[^`\n]*`/g, '')
    .matchAll(/\]\(([^)\s]+)\)/g);
  return {
    file,
    text,
    blocks,
    links: [...links].map((link) => link[1]!),
    manifests: /^<!-- with: (.+) -->$/m.exec(text)?.[1] ?? MANIFESTS,
  };
}

/** The anchors that its headings make, as GitHub makes them. */
export function anchorsOf({ text }: Page): Set<string> {
  const headings = text.matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The commands of a block for a shell, and the lines that it shows as their output. A `console` block has a `$` before each command. */
export function sessionOf({ language, text }: Block): { script: string; shown: readonly string[] } {
  if (language !== 'console') return { script: text, shown: [] };
  const commands: string[] = [];
  const shown: string[] = [];
  let goesOn = false;
  for (const line of text.split('\n')) {
    const isCommand: boolean = goesOn || line.startsWith('$ ');
    if (isCommand) commands.push(goesOn ? line : line.slice(2));
    else if (line.trim() !== '' && line.trim() !== '…') shown.push(line);
    goesOn = isCommand && line.endsWith('\\');
  }
  return { script: commands.join('\n'), shown };
}

/** A line without what differs from run to run: ids, numbers, times, widths. */
export function shapeOf(line: string): string {
  return line
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, 'ID')
    .replaceAll(/\d+(?:\.\d+)?(?:ms|s|m)\b/g, 'TIME')
    .replaceAll(/\d+(?:\.\d+)?/g, '0')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
