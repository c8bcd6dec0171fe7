// (request) => response, as the web has them.
import { Readable } from 'node:stream';

import { contextOf } from './context.mjs';
import { answerResponse, isResponse } from './reply.mjs';

/** Serves a handler of requests; see FetchHandler in author.ts. Neither body is held: both go through as they come. */
export function serveFetch(handler) {
  return async (request, response, signal) => {
    const context = contextOf(request, signal, request.headers['ce-id'] ?? request.headers['x-call-id']);
    const result = await handler(requestOf(request, signal), process.env, context);
    if (!isResponse(result)) throw new TypeError(`expected a Response, got ${Object.prototype.toString.call(result)}`);
    await answerResponse(response, result);
  };
}

function requestOf(request, signal) {
  const { method, url, rawHeaders } = request;
  const headers = [];
  for (let index = 0; index < rawHeaders.length; index += 2) headers.push([rawHeaders[index], rawHeaders[index + 1]]);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? { body: Readable.toWeb(request), duplex: 'half' } : {};
  return new Request(new URL(url, `http://${request.headers.host ?? 'localhost'}`), {
    method,
    headers,
    signal,
    ...body,
  });
}
