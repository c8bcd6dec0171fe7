// (event, context) => reply
import { contextOf } from './context.mjs';
import { eventOfRequest, readBody, readEvent } from './event.mjs';
import { answer } from './reply.mjs';

/** Serves a handler of events; see FunctionHandler in author.ts. */
export function serveEvents(handler, { source }) {
  return async (request, response, signal) => {
    const body = await readBody(request);
    const event = readEvent(request, body) ?? eventOfRequest(request, body, source);
    await answer(response, await handler(event, contextOf(request, signal, event.id)), source);
  };
}
