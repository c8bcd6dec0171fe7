import { isAttributeName } from './attribute.ts';
import { CesqlFault, compileCesql } from './cesql/cesql.ts';
import type { Cesql } from './cesql/cesql.ts';
import { findFunction, functionNames, signatures } from './cesql/functions.ts';
import { parts } from './cesql/tree.ts';
import type { CallTree } from './cesql/tree.ts';
import { positionOf } from './cesql/fault.ts';
import { FilterFault, show } from './fault.ts';

/** A filter that has been read and checked: nothing in it can be wrong any more. Paths are for people. */
export type Condition =
  | TextCondition
  | { readonly dialect: 'all' | 'any'; readonly path: string; readonly children: readonly Condition[] }
  | { readonly dialect: 'not'; readonly path: string; readonly child: Condition }
  | { readonly dialect: 'cesql'; readonly path: string; readonly text: string; readonly cesql: Cesql };

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
export function readList(specs: readonly unknown[], path: string): Condition | undefined {
  return join('all', path, readEach(specs, path, 1));
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
      return readCesql(value, path);
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

function readCesql(value: unknown, path: string): Condition | undefined {
  if (typeof value !== 'string') {
    throw new FilterFault(path, 'a CESQL expression', show(value), 'Write the expression as text.');
  }
  if (value === '') return undefined;
  try {
    const cesql = compileCesql(value);
    for (const { tree } of parts(cesql.tree)) if (tree.kind === 'call') checkCall(tree, value, path);
    return { dialect: 'cesql', path, text: value, cesql };
  } catch (error) {
    if (!(error instanceof CesqlFault)) throw error;
    throw new FilterFault(path, error.expected, error.got, 'Correct the expression.', error.position);
  }
}

/** A call that finds no function would make every event fail; CESQL allows it, a filter has no use for it. */
function checkCall(call: CallTree, text: string, path: string): void {
  const count = call.arguments.length;
  if (findFunction(call.name, count) !== undefined) return;
  const got = `${call.name} with ${count} argument${count === 1 ? '' : 's'}`;
  const known = signatures(call.name);
  const [expected, advice] =
    call.name === 'KN_VERIFY_CORRELATION_ID'
      ? ['a function of CESQL', 'KN_VERIFY_CORRELATION_ID comes with RequestReply; a filter cannot call it.']
      : known.length > 0
        ? [known.join(' or '), 'Correct the arguments.']
        : [`a function that exists`, `Use one of ${functionNames().join(', ')}.`];
  throw new FilterFault(path, expected, got, advice, positionOf(text, call.at));
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
