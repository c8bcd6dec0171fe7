import type { CloudEvent } from '@millrace/event/event';
import type { Position } from '../fault.ts';
import { compile } from './compile.ts';
import type { ErrorKind, Outcome } from './evaluate.ts';
import { positionOf } from './fault.ts';
import { parse } from './parser.ts';
import type { Tree } from './tree.ts';
import type { Value } from './value.ts';

export { CesqlFault } from './fault.ts';
export type { ErrorKind } from './evaluate.ts';
export type { Value } from './value.ts';

/** An error of an evaluation, for people: the kind (CESQL 1.0.0 §3.3), a sentence, and where in the expression. */
export interface CesqlError {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly position: Position;
}

/** A value always; with an error, the value that the specification gives in its place. */
export interface Evaluation {
  readonly value: Value;
  readonly error: CesqlError | undefined;
}

/** A compiled CESQL expression. */
export interface Cesql {
  readonly tree: Tree;
  /** The value and the error, as the specification has them. Never throws. */
  evaluate(event: CloudEvent): Evaluation;
  /** As a filter: true only for the Boolean true without an error (CESQL 1.0.0 §1.2). Never throws, makes no objects. */
  readonly test: (event: CloudEvent) => boolean;
}

/**
 * Compiles an expression of CESQL 1.0.0, or throws a {@link CesqlFault} that points at what cannot be read.
 * A function that does not exist is an error of the evaluation, not of the text.
 * Evaluation stops at the first error (§4.1, fail fast).
 */
export function compileCesql(text: string): Cesql {
  const tree = parse(text);
  const run = compile(tree);
  // One for all tests: an evaluation never waits, so there is only one at a time.
  const shared: Outcome = { failure: undefined };
  return {
    tree,
    evaluate(event) {
      const outcome: Outcome = { failure: undefined };
      const value = run(event, outcome);
      const { failure } = outcome;
      const error = failure && { kind: failure.kind, message: failure.message, position: positionOf(text, failure.at) };
      return { value, error };
    },
    test: (event) => {
      shared.failure = undefined;
      return run(event, shared) === true && shared.failure === undefined;
    },
  };
}
