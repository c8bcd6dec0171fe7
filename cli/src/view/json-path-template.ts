import { compileValues, unquoted } from './json-path.ts';
import type { Values } from './json-path.ts';

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly values: Values; readonly fromRoot: boolean }
  | { readonly kind: 'range'; readonly values: Values; readonly parts: readonly Part[] };

/**
 * Compiles a template such as `{range .items[*]}{.metadata.name}{"\\n"}{end}` (kubectl's `-o jsonpath`). What a path leads
 * to is joined by spaces, a path that leads nowhere is empty. A template without braces is one path. Throws a
 * {@link SyntaxError} when it is none.
 */
export function compileTemplate(text: string): (value: unknown) => string {
  const parts = partsOf(text.includes('{') ? text : `{${text}}`);
  return (root) => parts.map((part) => render(part, root, root)).join('');
}

/** The values at one path that is written in braces, as in a template, or without. Throws a {@link SyntaxError}. */
export function valuesAt(text: string): Values {
  return compileValues(text.replace(/^\{([^]*)\}$/, '$1').trim());
}

function render(part: Part, root: unknown, current: unknown): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'path':
      return part
        .values(part.fromRoot ? root : current)
        .map(shown)
        .join(' ');
    case 'range':
      return part
        .values(current)
        .map((item) => part.parts.map((inner) => render(inner, root, item)).join(''))
        .join('');
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Text, and between braces: a text in quotes, a path, `range` with a path, `end`. */
const PIECE = /\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{}"'])*)\}|([^{]+)/y;

function partsOf(text: string): Part[] {
  const open: { values: Values; parts: Part[] }[] = [{ values: compileValues(''), parts: [] }];
  const pattern = new RegExp(PIECE);
  let end = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    end = pattern.lastIndex;
    const [, inside, plain] = match;
    const { parts } = open.at(-1)!;
    const word = inside?.trim();
    if (word === undefined) parts.push({ kind: 'text', text: plain! });
    else if (word === 'end') {
      const ranged = open.pop()!;
      if (open.length === 0) throw new SyntaxError('{end} without a {range}');
      open.at(-1)!.parts.push({ kind: 'range', ...ranged });
    } else if (/^range\s/.test(word)) open.push({ values: compileValues(word.slice(5).trim()), parts: [] });
    else if (/^["']/.test(word)) parts.push({ kind: 'text', text: unquoted(word) });
    else parts.push({ kind: 'path', values: compileValues(word), fromRoot: word.startsWith('$') });
  }
  if (end !== text.length) throw new SyntaxError(`cannot read "${text.slice(end)}": expected a path in braces`);
  if (open.length > 1) throw new SyntaxError('{range} without an {end}');
  return open[0]!.parts;
}
