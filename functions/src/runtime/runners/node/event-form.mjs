// (event, context) => reply
import { contextOf } from './context.mjs';
import { eventOfRequest, readBody, readEvent } from './event.mjs';
import { answer } from './reply.mjs';

/** Serves a handler of events; see FunctionHandler in author.ts. */
export function serveEvents(handler, { source }) {
  return async (request, response, signal) => {
    if (isProbe(request)) return void response.writeHead(204).end();
    const body = await readBody(request);
    const event = readEvent(request, body) ?? eventOfRequest(request, body, source);
    await answer(response, await handler(event, contextOf(request, signal, event.id)), source);
  };
}

/** It asks whether we are there; that is no event. A probe names itself as Kubernetes' do (see check.ts). */
function isProbe({ method, headers }) {
  return method === 'GET' && headers['user-agent']?.startsWith('kube-probe/') === true;
}
