import type { CloudEvent } from '@millrace/event/event';
import { castTo, ZERO } from './value.ts';
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

/** Casts what comes out, as an operator or a function does with its operands; the error points at that operator. */
export function casting(type: Type, evaluate: Evaluate, at: number): Evaluate {
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

/** The failure of a cast to the type, at the operator or the function that wanted it. */
export function castFailure(type: Type, at: number): Failure {
  return { kind: 'cast', message: `an operand cannot be read as ${type}`, at };
}
