import { isAttributeName } from './attribute.ts';
import type { Cesql } from './cesql/cesql.ts';
import { compileExpression } from './expression.ts';
import { FilterFault, show } from './fault.ts';

/** A filter that has been read and checked: nothing in it can be wrong any more. Paths are for people. */
export type Condition =
  | TextCondition
  | { readonly dialect: 'all' | 'any'; readonly path: string; readonly children: readonly Condition[] }
  | { readonly dialect: 'not'; readonly path: string; readonly child: Condition }
  | { readonly dialect: 'cesql'; readonly path: string; readonly cesql: Cesql };

/** Holds when every term does. `attributes` is the old `filter.attributes` of a Trigger. */
export interface TextCondition {
  readonly dialect: TextDialect | 'attributes';
  readonly path: string;
  readonly terms: readonly Term[];
}

/** One attribute and the text that it is held against. */
export interface Term {
  readonly path: string;
  readonly attribute: string;
  readonly value: string;
}

type TextDialect = 'exact' | 'prefix' | 'suffix';

/** Deeper than anyone writes, and far from what a stack holds. */
const DEEPEST = 64;
const DIALECTS = ['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'cesql'];

/**
 * Reads what was declared as a filter, or throws a {@link FilterFault} with the path of what is wrong, below `path`.
 * Undefined stands for "no filter", which lets everything pass: `{}`, a dialect without attributes, an empty CESQL
 * text, and what is made of nothing else - also `not: {}`, as in Knative.
 */
export function readCondition(spec: unknown, path: string): Condition | undefined {
  return read(spec, path, 1);
}

/** Reads the old `filter.attributes`: an empty value asks for any value that is not empty. */
export function readAttributes(attributes: unknown, path: string): Condition | undefined {
  const terms = readTerms(attributes, path, true);
  return terms.length === 0 ? undefined : { dialect: 'attributes', path, terms };
}

/** Reads a list of filters that must all pass. Unlike in `all`, there may be none. */
export function readList(specs: unknown, path: string): Condition | undefined {
  if (Array.isArray(specs)) return join('all', path, readEach(specs, path, 1));
  throw new FilterFault(path, 'a list of filters', show(specs), 'Write a list.');
}

function read(spec: unknown, path: string, depth: number): Condition | undefined {
  if (depth > DEEPEST) {
    throw new FilterFault(
      path,
      `filters nested at most ${DEEPEST} levels deep`,
      'one more level',
      'Flatten the filter.',
    );
  }
  if (!isObject(spec)) {
    throw new FilterFault(path, 'a filter object such as {"exact": {"type": "…"}}', show(spec), 'Write an object.');
  }
  const declared = Object.keys(spec).filter((key) => spec[key] !== undefined && spec[key] !== null);
  for (const key of declared) if (!DIALECTS.includes(key)) throw unknownDialect(path, key);
  const [dialect, another] = declared;
  if (dialect === undefined) return undefined;
  if (another !== undefined) {
    const advice = 'Put each dialect into an object of its own, and the objects into "all".';
    throw new FilterFault(path, 'one dialect', declared.join(' and '), advice);
  }
  return readDialect(dialect, spec[dialect], below(path, dialect), depth);
}

function readDialect(dialect: string, value: unknown, path: string, depth: number): Condition | undefined {
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix': {
      const terms = readTerms(value, path, false);
      return terms.length === 0 ? undefined : { dialect, path, terms };
    }
    case 'all':
    case 'any': {
      if (Array.isArray(value) && value.length > 0) return join(dialect, path, readEach(value, path, depth + 1));
      const advice = 'List the filters, or leave the dialect out to let every event pass.';
      throw new FilterFault(path, 'a list of at least one filter', show(value), advice);
    }
    case 'not': {
      const child = read(value, path, depth + 1);
      return child && { dialect, path, child };
    }
    default:
      if (value === '') return undefined;
      return { dialect: 'cesql', path, cesql: compileExpression(value, path) };
  }
}

function readEach(specs: readonly unknown[], path: string, depth: number): Condition[] {
  return specs.flatMap((spec, index) => read(spec, `${path}[${index}]`, depth) ?? []);
}

function join(dialect: 'all' | 'any', path: string, children: Condition[]): Condition | undefined {
  return children.length > 1 ? { dialect, path, children } : children[0];
}

function readTerms(attributes: unknown, path: string, emptyAllowed: boolean): Term[] {
  if (!isObject(attributes)) {
    const advice = 'Write an object of attribute names and values.';
    throw new FilterFault(path, 'attribute names with their values', show(attributes), advice);
  }
  return Object.entries(attributes).map(([attribute, value]) => {
    const place = below(path, attribute);
    if (!isAttributeName(attribute)) {
      const advice = 'Attribute names of CloudEvents are lower-case; check the spelling.';
      throw new FilterFault(place, 'a name of a-z and 0-9 that begins with a letter', show(attribute), advice);
    }
    if (typeof value !== 'string') throw new FilterFault(place, 'text', show(value), 'Write the value in quotes.');
    if (value !== '' || emptyAllowed) return { path: place, attribute, value };
    const advice = `To ask whether the event has it at all, write {"cesql": "EXISTS ${attribute}"}.`;
    throw new FilterFault(place, 'text that is not empty', '""', advice);
  });
}

function unknownDialect(path: string, key: string): FilterFault {
  return new FilterFault(
    below(path, key),
    `one of ${DIALECTS.join(', ')}`,
    show(key),
    'Correct the name of the dialect.',
  );
}

function below(path: string, key: string): string {
  const step = /^[A-Za-z]\w*$/.test(key) ? key : `[${show(key)}]`;
  return path === '' || step.startsWith('[') ? path + step : `${path}.${step}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
