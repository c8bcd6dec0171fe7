import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { travellingHeaders } from '@millrace/event/http';
import { headerOf } from '@millrace/event/web';

import type { Calls } from '../calls/calls.ts';
import type { Destination } from './directory.ts';
import { hopsOf } from './hops.ts';
import { problem, problemOf } from './problem.ts';
import { refuseRequest, sendJson } from './refusal.ts';
import { requestHeaders } from './relay.ts';
import { WAIT_EXPECTED, waitAsked } from './wait.ts';

/** An asynchronous call that somebody wants to make. */
export interface Wanted {
  readonly to: Destination;
  readonly path: string;
  /** `openfaas` is answered without a body. */
  readonly style: 'openfaas' | 'http';
}

/** A call that somebody asks for. */
export interface Asked {
  readonly id: string;
  readonly isResult: boolean;
  readonly query: URLSearchParams;
}

const CALL_ID = /^[\w.:~-]{1,128}$/;
/** Headers of the request that are about this exchange, or travel beside the call. */
const NOT_FOR_THE_FUNCTION =
  /^(?:x-callback-url|prefer|content-length|x-call-id|millrace-hops|traceparent|tracestate|x-request-id|knative-.*|x-b3-.*)$/i;

/** Takes asynchronous calls into the log, and answers for those that are there. */
export class CallDesk {
  readonly #calls: Calls;
  readonly #maxBytes: number;
  readonly #draining = new AbortController();

  /** `maxBytes` is the longest body. */
  constructor(calls: Calls, maxBytes: number) {
    this.#calls = calls;
    this.#maxBytes = maxBytes;
  }

  /** Nobody is kept waiting any longer. */
  drain(): void {
    this.#draining.abort();
  }

  /** 202 when the call is durable. */
  accept(request: IncomingMessage, response: ServerResponse, wanted: Wanted): void {
    this.#accept(request, response, wanted).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      const { 'content-type': contentType } = request.headers;
      const why = problemOf(error, { contentType, maxEventBytes: this.#maxBytes });
      refuseRequest(request, response, why, why.status === 503 || why.status === 507 ? { 'retry-after': '1' } : {});
    });
  }

  /** GET tells how a call is, or its result; DELETE cancels it. */
  answer(request: IncomingMessage, response: ServerResponse, asked: Asked): void {
    this.#answer(request, response, asked).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      refuseRequest(request, response, problemOf(error, { contentType: undefined, maxEventBytes: this.#maxBytes }));
    });
  }

  async #accept(request: IncomingMessage, response: ServerResponse, { to, path, style }: Wanted): Promise<void> {
    const refuse = (status: number, detail: string, headers?: Record<string, string>) =>
      refuseRequest(request, response, problem(status, detail), headers);
    if (request.method !== 'POST') {
      return refuse(405, `an asynchronous call is a POST, not a ${request.method}`, { allow: 'POST' });
    }
    const rawHeaders = requestHeaders(request);
    const id = headerOf(rawHeaders, 'x-call-id') ?? randomUUID();
    if (!CALL_ID.test(id)) {
      return refuse(400, 'x-call-id: expected at most 128 letters, digits and ._~:-');
    }
    const callback = headerOf(rawHeaders, 'x-callback-url');
    if (callback !== undefined && !isWebAddress(callback)) {
      return refuse(400, 'x-callback-url: expected an absolute http or https URL');
    }
    const body = await this.#bodyOf(request);
    if (body === undefined) {
      const limit = `an asynchronous call may have ${this.#maxBytes} bytes (--max-event-bytes)`;
      return refuse(413, `the body is too long: ${limit}`, { connection: 'close' });
    }
    await this.#calls.accept({
      id,
      workload: to.workload,
      head: {
        path,
        tag: to.tag,
        headers: [...forTheFunction(rawHeaders), ...forwarded(request), 'x-call-id', id],
        callback,
      },
      contentType: headerOf(rawHeaders, 'content-type'),
      body,
      headers: travellingHeaders(rawHeaders),
      hops: hopsOf(request.rawHeaders),
    });
    const location = `/calls/${encodeURIComponent(id)}`;
    const headers = { 'x-call-id': id, location, 'preference-applied': 'respond-async' };
    if (style === 'openfaas') response.writeHead(202, { ...headers, 'content-length': '0' }).end();
    else sendJson(request, response, 202, { id, status: location }, headers);
  }

  /** Undefined when it is too long. */
  async #bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
    if (Number(request.headers['content-length'] ?? 0) > this.#maxBytes) return undefined;
    const chunks: Buffer[] = [];
    let length = 0;
    // The rest of what is too long is not awaited, and does not end the connection before its answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > this.#maxBytes) return undefined;
      chunks.push(chunk);
    }
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, { id, isResult, query }: Asked): Promise<void> {
    const { method = '' } = request;
    const refuse = (status: number, detail: string, headers?: Record<string, string>) =>
      refuseRequest(request, response, problem(status, detail), headers);
    const allow = isResult ? 'GET, HEAD' : 'GET, HEAD, DELETE';
    if (!allow.split(', ').includes(method)) return refuse(405, `${method} is not for calls`, { allow });
    const call = this.#calls.find(id);
    if (call === undefined) return refuse(404, `there is no call ${id}, or it is no longer kept`);
    if (method === 'DELETE') {
      if (await this.#calls.cancel(call)) return sendJson(request, response, 200, this.#calls.view(call));
      const { status, finished, function: name } = this.#calls.view(call);
      const why = finished === undefined ? `the Service ${name} is not declared now` : `it is over: ${status}`;
      return refuse(409, `the call ${id} cannot be cancelled: ${why}`);
    }
    const waitMs = waitAsked(query.get('wait'));
    if (waitMs === undefined) return refuse(400, WAIT_EXPECTED);
    if (waitMs > 0) {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const signals = [gone.signal, this.#draining.signal, AbortSignal.timeout(waitMs)];
      await this.#calls.finished(call, AbortSignal.any(signals));
      if (response.destroyed) return;
    }
    if (!isResult) return sendJson(request, response, 200, this.#calls.view(call));
    const result = this.#calls.result(call);
    if (result === 'open') {
      return sendJson(request, response, 202, this.#calls.view(call), { 'retry-after': '1', 'x-call-id': id });
    }
    if (result === 'gone') return refuse(404, `the result of the call ${id} is no longer kept`);
    const { head, body } = result;
    const headers = ['x-call-id', id, 'x-function-status', String(head.status)];
    headers.push('x-duration-seconds', (head.duration / 1_000).toFixed(6), 'content-length', String(body.byteLength));
    response.writeHead(head.status, [...withoutLength(head.headers), ...headers]);
    response.end(method === 'HEAD' ? undefined : body);
  }
}

function forTheFunction(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !NOT_FOR_THE_FUNCTION.test(rawHeaders[index - (index % 2)]!));
}

function withoutLength(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !/^(?:content-length|x-call-id)$/i.test(rawHeaders[index - (index % 2)]!));
}

function forwarded({ socket, headers, rawHeaders }: IncomingMessage): string[] {
  const more: [string, string | undefined][] = [
    ['x-forwarded-for', socket.remoteAddress],
    ['x-forwarded-host', headers.host],
    ['x-forwarded-proto', 'encrypted' in socket ? 'https' : 'http'],
  ];
  return more.flatMap(([name, value]) =>
    value === undefined || headerOf(rawHeaders, name) !== undefined ? [] : [name, value],
  );
}

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}
