/** Looks up what a path leads to; undefined where it leads nowhere. */
export type Lookup = (value: unknown) => unknown;

type Step = (value: unknown) => unknown;

const STEP = /\.((?:[^.[\\]|\\.)+)|\[\?\(@\.([\w]+)==(?:"([^"]*)"|'([^']*)')\)\]|\[(\d+)\]/y;

/**
 * Compiles the JSONPath of a printer column: fields (`.status.url`, a dot in a name escaped as `\.`), items (`[0]`) and
 * the first item with a field of a value (`[?(@.type=="Ready")]`). Throws a SyntaxError for everything else.
 */
export function compilePath(path: string): Lookup {
  const found: Step[] = [];
  const pattern = new RegExp(STEP);
  let end = 0;
  for (let match = pattern.exec(path); match !== null; match = pattern.exec(path)) {
    const [, field, key, double, single, index] = match;
    found.push(
      field !== undefined
        ? fieldStep(field.replaceAll(/\\(.)/g, '$1'))
        : key !== undefined
          ? matchStep(key, double ?? single ?? '')
          : itemStep(Number(index)),
    );
    end = pattern.lastIndex;
  }
  if (end !== path.length || found.length === 0) {
    throw new SyntaxError(`expected a path such as .status.url, got ${JSON.stringify(path)}`);
  }
  return (value) => found.reduce((inner, step) => step(inner), value);
}

function fieldStep(name: string): Step {
  return (value) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Record<string, unknown>)[name]
      : undefined;
}

function itemStep(index: number): Step {
  return (value) => (Array.isArray(value) ? value[index] : undefined);
}

function matchStep(key: string, wanted: string): Step {
  const field = fieldStep(key);
  return (value) => (Array.isArray(value) ? value.find((item) => field(item) === wanted) : undefined);
}
