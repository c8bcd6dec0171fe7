import type { Handler } from '@millrace/event/handler';

import type { Evaluator } from './evaluator.ts';

export interface TransformHandlerOptions {
  readonly evaluator: Evaluator;
  /** JSONata. */
  readonly expression: string;
  /** Takes what the expression made. Default: that is the answer. */
  readonly sink?: Handler | undefined;
  /** What becomes of the sink's answer. Default: it passes as it is. */
  readonly reply?: { readonly expression: string } | 'discard' | undefined;
}

/** An EventTransform as a subscriber. */
export function transformHandler(_options: TransformHandlerOptions): Handler {
  throw new Error('being built');
}
