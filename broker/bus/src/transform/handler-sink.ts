import { HandlerFailure, NO_HEADERS } from '@millrace/event/handler';
import type { Handler } from '@millrace/event/handler';
import { decodeHttp, encodeBinary, travellingHeaders } from '@millrace/event/http';

import type { SinkCall, TransformResponse } from './transform-door.ts';

/**
 * A handler as the sink of an EventTransform that is reached over HTTP: its answer as the response that says the same.
 * Rejects for a message that is no event, and as the handler does where that has no status to tell.
 */
export function handlerSink(handler: Handler): SinkCall {
  return async ({ rawHeaders, body, signal }) => {
    const event = decodeHttp(rawHeaders, body);
    if (event === undefined) throw new Error('it takes events, and the result is none: it has no specversion');
    try {
      const headers = travellingHeaders(rawHeaders) ?? NO_HEADERS;
      const answer = await handler(event, { signal, headers, attempt: 1 });
      const reply = answer.event === undefined ? undefined : encodeBinary(answer.event);
      return {
        status: answer.status,
        rawHeaders: Object.entries({ ...answer.headers, ...reply?.headers }).flat(),
        body: reply?.body ?? new Uint8Array(),
      };
    } catch (error) {
      return failureResponse(error);
    }
  };
}

/** A failure as the response that says the same. Throws what has no status to tell. */
export function failureResponse(error: unknown): TransformResponse {
  if (!(error instanceof HandlerFailure) || error.status === undefined) throw error;
  const { status, body, retryAfterMs } = error;
  const rawHeaders = retryAfterMs === undefined ? [] : ['Retry-After', String(Math.ceil(retryAfterMs / 1_000))];
  return { status, rawHeaders, body: body ?? new Uint8Array() };
}
