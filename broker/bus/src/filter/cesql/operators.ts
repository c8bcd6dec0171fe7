import { castFailure, casting } from './evaluate.ts';
import type { Evaluate, Failure } from './evaluate.ts';
import { compileLike } from './like.ts';
import type { ArithmeticOperator, ComparisonOperator, LogicOperator } from './tree.ts';
import { castTo, toBoolean, toText, typeOf } from './value.ts';
import type { Type } from './value.ts';

// An operator whose operand has failed fails with it, and is the zero value of its own type: so `NOT missing` is
// false, `missing * 5` is 0, and `1 / missing` is no division by zero (CESQL 1.0.0 §3.2).

/**
 * A cast that fails leaves false, which NOT turns into true. An Integer counts as one that fails: §3.7 would cast it,
 * but the conformance suite has `NOT 10` as a cast error with the value true, and the suite is the judge.
 */
export function not(operand: Evaluate, at: number): Evaluate {
  const uncastable = castFailure('Boolean', at);
  return (event, outcome) => {
    const value = operand(event, outcome);
    if (outcome.failure !== undefined) return false;
    const truth = typeof value === 'number' ? undefined : toBoolean(value);
    if (truth === undefined) outcome.failure = uncastable;
    return !truth;
  };
}

/** -2147483648 has no counterpart and stays what it is, as in Knative. */
export function negate(operand: Evaluate, at: number): Evaluate {
  const integer = casting('Integer', operand, at);
  return (event, outcome) => -(integer(event, outcome) as number) | 0;
}

// What does not fit into 32 bits wraps around, as in Knative; the specification leaves it open.
const ARITHMETIC: Record<ArithmeticOperator, (x: number, y: number) => number> = {
  '+': (x, y) => (x + y) | 0,
  '-': (x, y) => (x - y) | 0,
  '*': Math.imul,
  '/': (x, y) => (x / y) | 0,
  '%': (x, y) => (x % y) | 0,
};

/** Division truncates, and a remainder has the sign of the dividend; both are 0 and a math error for a divisor of 0. */
export function arithmetic(operator: ArithmeticOperator, left: Evaluate, right: Evaluate, at: number): Evaluate {
  const dividend = casting('Integer', left, at);
  const divisor = casting('Integer', right, at);
  const apply = ARITHMETIC[operator];
  const divides = operator === '/' || operator === '%';
  const byZero: Failure = { kind: 'math', message: 'division by zero', at };
  return (event, outcome) => {
    const x = dividend(event, outcome) as number;
    if (outcome.failure !== undefined) return 0;
    const y = divisor(event, outcome) as number;
    if (outcome.failure !== undefined) return 0;
    if (!divides || y !== 0) return apply(x, y);
    outcome.failure = byZero;
    return 0;
  };
}

/** `=` and `!=` cast the left operand to the type of the right one (§3.7). */
export function equality(equal: boolean, left: Evaluate, right: Evaluate, at: number): Evaluate {
  const uncastable = castFailures(at);
  return (event, outcome) => {
    const x = left(event, outcome);
    if (outcome.failure !== undefined) return false;
    const y = right(event, outcome);
    if (outcome.failure !== undefined) return false;
    const type = typeOf(y);
    const cast = castTo(type, x);
    if (cast !== undefined) return (cast === y) === equal;
    outcome.failure = uncastable[type];
    return false;
  };
}

const ORDER: Record<Exclude<ComparisonOperator, '=' | '!='>, (x: number, y: number) => boolean> = {
  '<': (x, y) => x < y,
  '<=': (x, y) => x <= y,
  '>': (x, y) => x > y,
  '>=': (x, y) => x >= y,
};

/** The comparisons that only integers have. */
export function order(operator: keyof typeof ORDER, left: Evaluate, right: Evaluate, at: number): Evaluate {
  const smaller = casting('Integer', left, at);
  const larger = casting('Integer', right, at);
  const holds = ORDER[operator];
  return (event, outcome) => {
    const x = smaller(event, outcome) as number;
    if (outcome.failure !== undefined) return false;
    const y = larger(event, outcome) as number;
    return outcome.failure === undefined && holds(x, y);
  };
}

/**
 * `a op (b op (c …))` in one walk from the left: AND with true and OR with false leave the rest as it is, the other
 * way round they decide and the rest is not evaluated, and XOR with true turns what the rest will say.
 */
export function logic(operators: readonly LogicOperator[], operands: readonly Evaluate[], at: number): Evaluate {
  const booleans = operands.map((operand) => casting('Boolean', operand, at));
  return (event, outcome) => {
    let turned = false;
    for (let i = 0; ; i++) {
      const value = booleans[i]!(event, outcome) as boolean;
      if (outcome.failure !== undefined) return false;
      const operator = operators[i];
      if (operator === 'XOR') turned = turned !== value;
      else if (operator === undefined || value === (operator === 'OR')) return value !== turned;
    }
  };
}

/** `LIKE`, or `NOT LIKE`. */
export function like(negated: boolean, operand: Evaluate, pattern: string): Evaluate {
  const matches = compileLike(pattern);
  return (event, outcome) => {
    const value = operand(event, outcome);
    return outcome.failure === undefined && matches(toText(value)) !== negated;
  };
}

/** `IN`, or `NOT IN`: elements are cast to the type of the operand (§3.7), and evaluated only until one is equal. */
export function membership(negated: boolean, operand: Evaluate, elements: readonly Evaluate[], at: number): Evaluate {
  const uncastable = castFailures(at);
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

function castFailures(at: number): Record<Type, Failure> {
  return {
    Boolean: castFailure('Boolean', at),
    Integer: castFailure('Integer', at),
    String: castFailure('String', at),
  };
}
