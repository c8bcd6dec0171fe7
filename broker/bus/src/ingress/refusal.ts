import type { IncomingMessage, ServerResponse } from 'node:http';

import { facts } from '../log/facts.ts';
import type { Refused } from '../log/facts.ts';
import { acceptsJson } from './problem.ts';
import type { Problem } from './problem.ts';

/** Answers a request with why it is refused (RFC 9457), and tells of it. Nothing may have been answered yet. */
export function refuseRequest(
  request: IncomingMessage,
  response: ServerResponse,
  why: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (facts.refused.hasSubscribers) {
    // Neither a query nor what stands before a host: some senders put tokens there.
    const path = URL.parse(request.url ?? '/', 'http://here')?.pathname ?? '/';
    facts.refused.publish({ path, status: why.status, reason: why.detail } satisfies Refused);
  }
  sendJson(
    request,
    response,
    why.status,
    { type: 'about:blank', ...why },
    {
      'content-type': 'application/problem+json',
      ...headers,
    },
  );
}

/** Answers with JSON, or with nothing but the status where the caller cannot read that. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = acceptsJson(request.headers.accept) ? JSON.stringify(body) : '';
  const length = { 'content-length': String(Buffer.byteLength(text)) };
  const type = text === '' ? {} : { 'content-type': 'application/json', ...headers };
  response.writeHead(status, { ...headers, ...type, ...length }).end(request.method === 'HEAD' ? undefined : text);
}
