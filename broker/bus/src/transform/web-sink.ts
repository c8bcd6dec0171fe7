import { decodeHttp, encodeBinary, travellingHeaders } from '@millrace/event/http';

import { failureResponse } from './handler-sink.ts';
import type { SinkCall } from './transform-door.ts';

/**
 * Whoever takes HTTP requests as the sink of an EventTransform that is reached over HTTP: gets an event in binary mode, and
 * anything else as it is; its answer is the response, event or not (knative.md §1.6). `post` may reject with a
 * `HandlerFailure`, whose status is the response then; rejects as `post` does where that has no status to tell.
 */
export function webSink(post: SinkCall): SinkCall {
  return async ({ rawHeaders, body, signal }) => {
    const event = decodeHttp(rawHeaders, body);
    const message = event === undefined ? undefined : encodeBinary(event);
    const headers = message === undefined ? rawHeaders : Object.entries(message.headers).flat();
    const travelling = message === undefined ? [] : Object.entries(travellingHeaders(rawHeaders) ?? {}).flat();
    try {
      const sent = message === undefined ? body : (message.body ?? new Uint8Array());
      return await post({ rawHeaders: [...headers, ...travelling], body: sent, signal });
    } catch (error) {
      return failureResponse(error);
    }
  };
}
