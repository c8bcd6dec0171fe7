/** A line with lines that come of it. */
export interface Tree {
  readonly line: string;
  readonly children: readonly Tree[];
}

/** Draws a tree, a line each: `├─` and `└─` before what comes of the line above. */
export function drawTree({ line, children }: Tree, indent = ''): string {
  const drawn = children.map((child, index) => {
    const isLast = index === children.length - 1;
    return `${indent}${isLast ? '└─ ' : '├─ '}${drawTree(child, `${indent}${isLast ? '   ' : '│  '}`)}`;
  });
  return `${line}\n${drawn.join('')}`;
}
