import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { answerTo, faultOf } from './messages.ts';
import type { MessagesRequest } from './messages.ts';
import { streamOf } from './stream.ts';

export { LABEL } from './messages.ts';
export type { MessagesRequest } from './messages.ts';

const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

/** A stand-in that runs. */
export interface StandInModel {
  /** For `ANTHROPIC_BASE_URL`: `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Resolves when its port is free again. Idempotent. */
  close(): Promise<void>;
}

/** An answer that is an error, as the API would give it. */
export interface StandInFault {
  /** Such as 429 or 529. */
  readonly status: number;
  /** Such as `rate_limit_error` or `overloaded_error`. */
  readonly type: string;
  readonly retryAfterSeconds?: number;
}

/**
 * Starts a small server on loopback that speaks Anthropic's Messages API (`POST /v1/messages`, plain and streamed) and
 * stands in for the model where there is no key. It understands nothing: the same request always gets the same answer,
 * and every text in it begins with `[stand-in model]`. Any key will do, but there must be one.
 *
 * `port` is 0 (any free one) by default. `fault` may refuse a request, to try how an agent takes it.
 */
export async function startStandInModel(
  options: { port?: number; fault?: (request: MessagesRequest) => StandInFault | undefined } = {},
): Promise<StandInModel> {
  const server = createServer((request, response) => {
    void serve(request, response, options.fault).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  faultFor: ((request: MessagesRequest) => StandInFault | undefined) | undefined,
): Promise<void> {
  const body = await readBody(request);
  if (request.method !== 'POST' || request.url?.split('?')[0] !== '/v1/messages') {
    return refuse(response, { status: 404, type: 'not_found_error' }, 'the stand-in has POST /v1/messages only');
  }
  if (!request.headers['x-api-key'] && !request.headers.authorization) {
    return refuse(response, { status: 401, type: 'authentication_error' }, 'x-api-key header is required');
  }
  const asked = parse(body);
  const wrong = asked === undefined ? 'the body is no JSON object' : faultOf(asked);
  if (asked === undefined || wrong !== undefined) {
    return refuse(response, { status: 400, type: 'invalid_request_error' }, wrong ?? '');
  }
  const fault = faultFor?.(asked);
  if (fault !== undefined) return refuse(response, fault, `the stand-in was told to answer ${fault.status}`);
  const message = answerTo(asked);
  if (!asked.stream) return sendJson(response, 200, message);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const part of streamOf(message)) response.write(part);
  response.end();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(body: string): MessagesRequest | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as MessagesRequest) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, fault: StandInFault, message: string): void {
  if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(fault.retryAfterSeconds));
  sendJson(response, fault.status, { type: 'error', error: { type: fault.type, message } });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
