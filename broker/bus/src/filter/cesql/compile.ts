import { attributeReader } from '../attribute.ts';
import { casting } from './evaluate.ts';
import type { Evaluate, Failure } from './evaluate.ts';
import { findFunction } from './functions.ts';
import { arithmetic, equality, like, logic, membership, negate, not, order } from './operators.ts';
import type { CallTree, Tree } from './tree.ts';
import { ZERO } from './value.ts';
import type { Value } from './value.ts';

/** Turns a tree into closures that look nothing up, parse nothing and make no objects. */
export function compile(tree: Tree): Evaluate {
  const { at } = tree;
  switch (tree.kind) {
    case 'literal':
      return () => tree.value;
    case 'attribute':
      return attribute(tree.name, at);
    case 'exists':
      return exists(tree.name);
    case 'not':
      return not(compile(tree.operand), at);
    case 'negate':
      return negate(compile(tree.operand), at);
    case 'arithmetic':
      return arithmetic(tree.operator, compile(tree.left), compile(tree.right), at);
    case 'comparison': {
      const { operator } = tree;
      const left = compile(tree.left);
      const right = compile(tree.right);
      if (operator === '=' || operator === '!=') return equality(operator === '=', left, right, at);
      return order(operator, left, right, at);
    }
    case 'logic':
      return logic(tree.operators, tree.operands.map(compile), at);
    case 'like':
      return like(tree.negated, compile(tree.operand), tree.pattern);
    case 'in':
      return membership(tree.negated, compile(tree.operand), tree.elements.map(compile), at);
    default:
      return call(tree);
  }
}

/** Without the attribute, false: nobody can tell what type it would have had (CESQL 1.0.0 §3.2). */
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

function call({ name, at, arguments: trees }: CallTree): Evaluate {
  const found = findFunction(name, trees.length);
  if (found === undefined) return missingFunction(name, trees.length, at);
  const { fails, returns } = found;
  const failure: Failure | undefined = fails && { kind: fails.kind, message: `${name}: ${fails.when}`, at };
  const evaluations = trees.map((tree, index) => {
    const type = found.parameters[index] ?? found.rest;
    return type === undefined || type === 'Any' ? compile(tree) : casting(type, compile(tree), at);
  });
  // Filled anew for each call: an evaluation never waits, so nobody else sees it half full.
  const values: Value[] = evaluations.map(() => false);
  return (event, outcome) => {
    for (let i = 0; i < values.length; i++) {
      values[i] = evaluations[i]!(event, outcome);
      if (outcome.failure !== undefined) return ZERO[returns];
    }
    if (fails?.test(values)) outcome.failure = failure;
    return found.apply(values);
  };
}

/** The value of a call that finds no function is false (CESQL 1.0.0 §3.5). */
function missingFunction(name: string, count: number, at: number): Evaluate {
  const message = `there is no function ${name} of ${count} argument${count === 1 ? '' : 's'}`;
  const failure: Failure = { kind: 'missingFunction', message, at };
  return (_event, outcome) => {
    outcome.failure = failure;
    return false;
  };
}
