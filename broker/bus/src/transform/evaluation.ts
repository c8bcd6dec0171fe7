/** What came of evaluating an expression with an input. */
export type Evaluation =
  /** The value as JSON. */
  | { readonly kind: 'value'; readonly json: string }
  /** The expression has no value for this input: nothing matched. */
  | { readonly kind: 'nothing' }
  /** It cannot be evaluated with this input, now or later: `timed out after 5 s`, `used more than 128 MiB` … */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It was not evaluated, for a reason that is neither in the expression nor in the input. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Why there is no value that could go on. */
export type Failed = Extract<Evaluation, { readonly kind: 'failed' | 'unavailable' }>;
