import type { CloudEvent } from '@millrace/event/event';
import { attributeReader } from './attribute.ts';
import type { Cesql } from './cesql/cesql.ts';
import { compile } from './cesql/compile.ts';
import type { Outcome } from './cesql/evaluate.ts';
import { textOf } from './cesql/print.ts';
import { parts } from './cesql/tree.ts';
import type { LogicTree, Tree } from './cesql/tree.ts';
import { toBoolean } from './cesql/value.ts';
import type { Value } from './cesql/value.ts';
import type { Explanation } from './explanation.ts';
import { show } from './fault.ts';

/** What stands above a part, which decides what it must be: the filter wants true itself, the others cast. */
type Above = 'filter' | 'NOT' | 'logic';

/** Explains what {@link Cesql.test} says of the event, with a branch for each operand of AND, OR, XOR and NOT. */
export function explainCesql(path: string, cesql: Cesql, event: CloudEvent): Explanation {
  const { value, error } = cesql.evaluate(event);
  const result =
    error === undefined
      ? `the expression is ${show(value)}`
      : `${error.kind} at line ${error.position.line}, column ${error.position.column}: ${error.message}`;
  const got = error === undefined ? show(value) : `a ${error.kind} error`;
  return {
    ...explainPart(path, cesql.tree, event, 'filter'),
    got,
    message: [result, ...valuesIn(cesql.tree, event)].join('; '),
  };
}

function explainPart(path: string, tree: Tree, event: CloudEvent, above: Above): Explanation {
  const outcome: Outcome = { failure: undefined };
  const value = compile(tree)(event, outcome);
  const { failure } = outcome;
  const truth = failure === undefined ? truthOf(value, above) : undefined;
  const result =
    failure === undefined ? (truth === undefined ? `${show(value)} is no truth value` : show(value)) : failure.message;
  const joins = joinedBy(tree);
  return {
    dialect: 'cesql',
    path,
    matched: truth === true,
    attribute: undefined,
    expected: 'true',
    got: failure === undefined ? show(value) : `a ${failure.kind} error`,
    message: joins === undefined ? [result, ...valuesIn(tree, event)].join('; ') : result,
    children:
      joins?.operands.map((it) => explainPart(path, it, event, joins.operator === 'NOT' ? 'NOT' : 'logic')) ?? [],
    part: {
      expression: textOf(tree),
      operator: joins?.operator,
      failed: truth === undefined,
      constant: namesIn(tree).length === 0,
    },
  };
}

/** As the operators cast (see `operators.ts`); undefined where that is an error. */
function truthOf(value: Value, above: Above): boolean | undefined {
  if (above === 'filter') return value === true;
  return above === 'NOT' && typeof value === 'number' ? undefined : toBoolean(value);
}

/** What a part joins, all by one operator; undefined for one that joins no truth values. */
function joinedBy(
  tree: Tree,
):
  | { readonly operator: NonNullable<NonNullable<Explanation['part']>['operator']>; readonly operands: Tree[] }
  | undefined {
  if (tree.kind === 'not') return { operator: 'NOT', operands: [tree.operand] };
  if (tree.kind !== 'logic') return undefined;
  const [operator] = tree.operators;
  const other = tree.operators.findIndex((it) => it !== operator);
  // They group from the right: `a AND b OR c` joins `a` and `b OR c`.
  const operands = other < 0 ? tree.operands : [...tree.operands.slice(0, other), restOf(tree, other)];
  return { operator: operator!, operands: [...operands] };
}

function restOf({ at, operands, operators }: LogicTree, from: number): LogicTree {
  return { kind: 'logic', at, operands: operands.slice(from), operators: operators.slice(from) };
}

function valuesIn(tree: Tree, event: CloudEvent): string[] {
  return namesIn(tree).map((name) => `${name} is ${show(attributeReader(name)(event))}`);
}

/** The attributes that the expression names, each once. */
function namesIn(tree: Tree): string[] {
  const names = new Set<string>();
  for (const { tree: part } of parts(tree)) if ('name' in part && part.kind !== 'call') names.add(part.name);
  return [...names];
}
