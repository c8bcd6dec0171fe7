import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, HandlerContext } from '@millrace/event/handler';

import type { Failed } from './evaluation.ts';
import type { Evaluator } from './evaluator.ts';
import { transformEvent } from './transform.ts';

/** What an EventTransform answers, or what it sends on where its sink is a topic. */
export interface TransformAnswer extends Answer {
  /**
   * The topic of the sink. The event is no answer then: it is to enter there, which is left to whoever called, who can
   * make one write of that and of what became of the call. Undefined: the event is the answer.
   */
  readonly into?: string | undefined;
}

/** A handler that may leave it to its caller to bring the event into a topic. Every `Handler` is one. */
export type TransformHandler = (event: CloudEvent, context: HandlerContext) => Promise<TransformAnswer>;

export interface TransformHandlerOptions {
  readonly evaluator: Evaluator;
  /** JSONata. */
  readonly expression: string;
  /** Takes what the expression made. Default: that is the answer. */
  readonly sink?: TransformHandler | undefined;
  /** What becomes of the sink's answer. Default: it passes as it is. */
  readonly reply?: { readonly expression: string } | 'discard' | undefined;
}

/**
 * An EventTransform as a subscriber.
 *
 *   event ─ expression ─┬─ no sink ─▶ answer
 *                       └─▶ sink ─ its answer ─┬─ reply.expression ─▶ answer
 *                                              ├─ as it is ─────────▶ answer
 *                                              ├─ 'discard' ─▶ answer without an event
 *                                              └─ a topic: the caller brings it in
 *
 * An expression that fails with an event fails with it again. So its failure has the status 422, which is not tried
 * again, and not 500, which an EventTransform answers over HTTP (knative.md §1.6). A worker that was not there is 503.
 */
export function transformHandler({ evaluator, expression, sink, reply }: TransformHandlerOptions): TransformHandler {
  const transform = async (event: CloudEvent, by: string, signal: AbortSignal, what: string): Promise<CloudEvent> => {
    const transformed = await transformEvent(event, by, evaluator, signal);
    if (transformed.kind === 'event') return transformed.event;
    if (transformed.kind !== 'document') throw failureOf(transformed);
    throw failureOf({ kind: 'failed', reason: `it made ${what} that is not an event: it has no specversion` });
  };
  return async (event, context): Promise<TransformAnswer> => {
    const { signal } = context;
    if (sink === undefined) return { status: 200, event: await transform(event, expression, signal, 'a reply') };
    const answer = await sink(await transform(event, expression, signal, 'something for its sink'), context);
    // What enters a topic is answered by nobody.
    if (reply === undefined || answer.into !== undefined) return answer;
    if (reply === 'discard') return { status: answer.status };
    // A sink that answers with nothing leaves nothing to transform.
    if (answer.event === undefined) return answer;
    return { ...answer, event: await transform(answer.event, reply.expression, signal, 'a reply') };
  };
}

const MOST_OF_A_BODY = 1_024;

function failureOf({ kind, reason }: Failed): HandlerFailure {
  const message = `the transformation failed: ${reason}`;
  const body = Buffer.from(message).subarray(0, MOST_OF_A_BODY);
  return new HandlerFailure(message, { status: kind === 'failed' ? 422 : 503, body });
}
