import { after } from 'node:test';

import { openEvaluator } from './evaluator.ts';
import type { Evaluator, EvaluatorOptions } from './evaluator.ts';

/** An evaluator for all tests of a file or of a suite or of one test; when they are done it is closed. */
export function evaluatorForTests(options: Partial<EvaluatorOptions> = {}): Evaluator {
  // No test waits so long; none is to fail because the machine is slow.
  const evaluator = openEvaluator({ maxBytes: 1024 * 1024, timeoutMs: 60_000, ...options });
  after(() => evaluator.close());
  return evaluator;
}
