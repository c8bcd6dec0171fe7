import type { Environment } from '../environment.ts';

/** Evaluates JSONata away from whatever else goes on: an expression can neither hold up nor end the process that asks. */
export interface Evaluator {
  /**
   * Evaluates an expression with an input, both as text; the input is JSON. Resolves with what came of it, also when
   * that is a failure; rejects only with the reason of the signal, at once.
   */
  evaluate(expression: string, input: string, signal?: AbortSignal): Promise<Evaluation>;
  /** Resolves when nothing of it runs any more. What was not done yet is `unavailable`. */
  close(): Promise<void>;
}

export type Evaluation =
  /** The value as JSON. */
  | { readonly kind: 'value'; readonly json: string }
  /** The expression has no value for this input: nothing matched. */
  | { readonly kind: 'nothing' }
  /** It cannot be evaluated with this input, now or later. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It was not evaluated, for a reason that is neither in the expression nor in the input. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface EvaluatorOptions {
  /** How many expressions are evaluated at once. Default 2. */
  readonly workers?: number;
  /** How long one evaluation may take, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number;
  /** How large the heap of one evaluation may get, in MiB. Default 128. */
  readonly memoryMb?: number;
  /** How many bytes of data an event may have. */
  readonly maxBytes: number;
  /** How long a worker waits for work before it ends, in milliseconds. Default 30 000. */
  readonly idleMs?: number;
  readonly environment?: Pick<Environment, 'after'>;
}

export function openEvaluator(_options: EvaluatorOptions): Evaluator {
  throw new Error('being built');
}
