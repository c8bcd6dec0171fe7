import type { Handler } from '@millrace/event/handler';

import type { Evaluator } from './evaluator.ts';

/** An HTTP request without its way here: names and values of headers in turn. */
export interface TransformRequest {
  readonly method: string;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface TransformResponse {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

export interface TransformOptions {
  readonly evaluator: Evaluator;
  /** JSONata. */
  readonly expression: string;
  /** Where what the expression made is posted. Default: it is the response. */
  readonly sink?: SinkCall | undefined;
  /** What becomes of the sink's response. Default: it passes as it is. */
  readonly reply?: { readonly expression: string } | 'discard' | undefined;
}

/** Posts a message to the sink. Resolves with the response, whatever its status; rejects when there is none. */
export type SinkCall = (message: Omit<TransformRequest, 'method'>) => Promise<TransformResponse>;

/** A handler as the sink of an EventTransform. */
export function handlerSink(_handler: Handler): SinkCall {
  throw new Error('being built');
}

/** Answers a request to an EventTransform (knative.md §1.6). */
export function answerTransform(_request: TransformRequest, _options: TransformOptions): Promise<TransformResponse> {
  throw new Error('being built');
}
