/** All values that a path leads to; none where it leads nowhere. */
export type Values = (value: unknown) => readonly unknown[];

type Step = (values: readonly unknown[]) => unknown[];

/**
 * Compiles a path in kubectl's JSONPath: fields (a dot in a name escaped as `\.`), `['…']`, items from either end, slices,
 * `*`, `..`, several at once, and filters such as `[?(@.type=="Ready")]`. Throws a {@link SyntaxError} when it is none.
 */
export function compileValues(path: string): Values {
  const steps = stepsOf(path.replace(/^[$@]/, ''));
  return (value) => follow(steps, value);
}

function follow(steps: readonly Step[], value: unknown): unknown[] {
  return steps.reduce<unknown[]>((values, step) => step(values), [value]);
}

const QUOTED = String.raw`(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`;
const FILTER = String.raw`\[\?\(\s*@([^\s=!<>)]*)\s*(?:(==|!=|<=|>=|<|>)\s*(${QUOTED}|[\w.+-]+)\s*)?\)\]`;

/** What a path may go on with, and which step that is. */
const STEPS: readonly (readonly [RegExp, (...groups: string[]) => Step])[] = [
  [/\.\./y, () => (values) => values.flatMap(withInner)],
  [/\.?\*|\[\*\]/y, () => (values) => values.flatMap(innerOf)],
  [/\.?((?:[^.[\]\\\s*]|\\.)+)/y, (field) => fieldsStep([field.replaceAll(/\\(.)/g, '$1')])],
  [/\[(-?\d+(?:,-?\d+)*)\]/y, (items) => itemsStep(items.split(',').map(Number))],
  [/\[(-?\d*):(-?\d*)\]/y, (from, to) => sliceStep(from, to)],
  [
    new RegExp(String.raw`\[(${QUOTED}(?:,${QUOTED})*)\]`, 'y'),
    (names) => fieldsStep(names.match(new RegExp(QUOTED, 'g'))!.map(unquoted)),
  ],
  [new RegExp(FILTER, 'y'), (tested, operator, wanted) => filterStep(stepsOf(tested), operator, wanted)],
];

function stepsOf(path: string): Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < path.length) {
    const rest = at;
    for (const [pattern, make] of STEPS) {
      const here = new RegExp(pattern);
      here.lastIndex = at;
      const match = here.exec(path);
      if (match === null) continue;
      steps.push(make(...match.slice(1)));
      at = here.lastIndex;
      break;
    }
    if (at === rest) {
      throw new SyntaxError(`cannot read "${path.slice(at)}": expected a path such as .metadata.name`);
    }
  }
  return steps;
}

function fieldsStep(names: readonly string[]): Step {
  return (values) =>
    values.flatMap((value) =>
      typeof value === 'object' && value !== null
        ? names.flatMap((name) => (Object.hasOwn(value, name) ? [(value as Record<string, unknown>)[name]] : []))
        : [],
    );
}

function itemsStep(indexes: readonly number[]): Step {
  return (values) =>
    values.flatMap((value) =>
      Array.isArray(value) ? indexes.flatMap((index) => value.slice(index, index + 1 || undefined)) : [],
    );
}

function sliceStep(from: string, to: string): Step {
  const [start, end] = [from === '' ? 0 : Number(from), to === '' ? undefined : Number(to)];
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.slice(start, end) : []));
}

function filterStep(tested: readonly Step[], operator: string | undefined, wanted = ''): Step {
  const right = literalOf(wanted);
  const holds = (item: unknown) => {
    const found = follow(tested, item);
    return operator === undefined ? found.length > 0 : found.some((left) => compares(left, operator, right));
  };
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.filter(holds) : []));
}

function compares(left: unknown, operator: string, right: string | number | boolean): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (typeof left !== typeof right || typeof left === 'boolean') return false;
  const [one, other] = [left as string, right as string];
  switch (operator) {
    case '<':
      return one < other;
    case '<=':
      return one <= other;
    case '>':
      return one > other;
    default:
      return one >= other;
  }
}

function literalOf(text: string): string | number | boolean {
  if (/^["']/.test(text)) return unquoted(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

function innerOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function withInner(value: unknown): unknown[] {
  return [value, ...innerOf(value).flatMap(withInner)];
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** What a text in single or double quotes says. Throws a SyntaxError when they do not match. */
export function unquoted(text: string): string {
  if (text.length < 2 || text.at(-1) !== text[0]) throw new SyntaxError(`expected a text in quotes, got ${text}`);
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, character: string) => ESCAPED[character] ?? character);
}
