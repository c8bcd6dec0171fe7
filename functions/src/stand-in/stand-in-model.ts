import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { faultOf, messageOf, turnFor } from './messages.ts';
import type { MessagesRequest, Turn } from './messages.ts';
import { brokenStreamOf, streamOf } from './stream.ts';

export { LABEL } from './messages.ts';
export type { MessagesRequest, Turn } from './messages.ts';

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
  /** Said instead of a message of the stand-in's own. */
  readonly message?: string;
  /** Whether a streamed answer begins as 200 and breaks off with the error. */
  readonly midStream?: boolean;
}

/**
 * Decides what a request gets instead of the stand-in's own answer; undefined leaves it to the stand-in. `http` has the
 * headers, and closes with its connection.
 */
export type StandInAnswer = (
  request: MessagesRequest,
  http: IncomingMessage,
) => StandInFault | Turn | undefined | Promise<StandInFault | Turn | undefined>;

/**
 * Starts a small server on loopback that speaks Anthropic's Messages API (`POST /v1/messages`, plain and streamed) and
 * stands in for the model where there is no key. It understands nothing: the same request always gets the same answer,
 * and every text in it begins with `[stand-in model]`. Any key will do, but there must be one.
 *
 * `port` is 0 (any free one) by default. `answer` says something else, to try how an agent takes it.
 */
export async function startStandInModel(
  options: { port?: number; answer?: StandInAnswer } = {},
): Promise<StandInModel> {
  const server = createServer((request, response) => {
    void serve(request, response, options.answer).catch(() => response.destroy());
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
  answer: StandInAnswer | undefined,
): Promise<void> {
  const body = await readBody(request);
  if (request.method !== 'POST' || request.url?.split('?')[0] !== '/v1/messages') {
    return refuse(response, {
      status: 404,
      type: 'not_found_error',
      message: 'the stand-in has POST /v1/messages only',
    });
  }
  if (!request.headers['x-api-key'] && !request.headers.authorization) {
    return refuse(response, { status: 401, type: 'authentication_error', message: 'x-api-key header is required' });
  }
  const asked = parse(body);
  const message = asked === undefined ? 'the body is no JSON object' : faultOf(asked);
  if (asked === undefined || message !== undefined) {
    return refuse(response, { status: 400, type: 'invalid_request_error', message });
  }
  const told = await answer?.(asked, request);
  if (told === undefined || !('status' in told)) return send(response, asked, told ?? turnFor(asked));
  if (!told.midStream || !asked.stream) return refuse(response, told);
  sendStream(response, brokenStreamOf(messageOf(asked, turnFor(asked)), errorOf(told)));
}

function send(response: ServerResponse, asked: MessagesRequest, turn: Turn): void {
  const message = messageOf(asked, turn);
  if (asked.stream) sendStream(response, streamOf(message));
  else sendJson(response, 200, message);
}

function sendStream(response: ServerResponse, parts: Iterable<string>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const part of parts) response.write(part);
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

function refuse(response: ServerResponse, fault: StandInFault): void {
  if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(fault.retryAfterSeconds));
  sendJson(response, fault.status, { type: 'error', error: errorOf(fault) });
}

function errorOf({ status, type, message = `the stand-in was told to answer ${status}` }: StandInFault): object {
  return { type, message };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
