import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { HandlerFailure } from '@millrace/event/handler';
import { headerOf } from '@millrace/event/web';
import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { Calls } from '../calls/calls.ts';
import type { Plan } from '../plan/plan.ts';
import { CallDesk } from './call-desk.ts';
import { Directory } from './directory.ts';
import type { Destination } from './directory.ts';
import { readFunctionPath } from './function-path.ts';
import type { FunctionPath } from './function-path.ts';
import type { Paths } from './paths.ts';
import { problem } from './problem.ts';
import { refuseRequest } from './refusal.ts';
import { relay, requestHeaders } from './relay.ts';

/** A function, as far as its callers know it. */
export interface Answering {
  request(call: WebCall, options?: { readonly tag?: string | undefined }): Promise<WebAnswer>;
}

export interface FunctionDoorOptions {
  /** What is declared now. */
  readonly plan: () => Plan;
  /** What answers for a declared function; undefined when nothing runs for it. */
  readonly functionOf: (workload: string) => Answering | undefined;
  readonly calls: Calls;
  /** Brokers and webhooks, whose paths come before those of functions. */
  readonly paths: Paths;
  /** The body of an asynchronous call, in bytes. */
  readonly maxEventBytes: number;
  /** True once the bus takes nothing more. */
  readonly isDraining: () => boolean;
}

const MS_A_SECOND = 1_000;

/**
 * Where functions are called, on the port of the events and before them: what is no call of a function passes by at the
 * cost of one look at its host and one at the first letter of its path.
 */
export class FunctionDoor {
  readonly directory: Directory;
  readonly #options: FunctionDoorOptions;
  readonly #desk: CallDesk;
  readonly #callers = new Set<Socket>();

  constructor(options: FunctionDoorOptions) {
    this.#options = options;
    this.directory = new Directory(options.plan);
    this.#desk = new CallDesk(options.calls, options.maxEventBytes);
  }

  /** Takes the request if it is for a function, or about a call; false when it is not. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '' } = request;
    const host = this.directory.host(request.headers.host);
    if (host === 'events' || (typeof host === 'object' && 'path' in host)) return false;
    if (host !== undefined && host !== 'paths') {
      this.#serve(request, response, { kind: 'function', to: host, name: host.workload, path: url });
      return true;
    }
    if (!FIRST_LETTERS.has(url.charCodeAt(1))) return false;
    const wanted = readFunctionPath(url, this.directory);
    if (wanted === undefined || this.#isTaken(url)) return false;
    this.#serve(request, response, wanted);
    return true;
  }

  /** Whether a function is being called over this connection: its request may take as long as it takes. */
  isCalling(socket: Socket): boolean {
    return this.#callers.has(socket);
  }

  /** Nobody waits any longer: whoever asked for a call to end is told how it is. */
  drain(): void {
    this.#desk.drain();
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#desk.drain();
    for (const socket of this.#callers) socket.destroy();
  }

  #isTaken(url: string): boolean {
    const end = url.search(/\/?(?:\?|$)/);
    const path = url.slice(0, end);
    const { inlets, receivers } = this.#options.paths;
    return inlets.has(path) || receivers.has(path);
  }

  #serve(request: IncomingMessage, response: ServerResponse, wanted: FunctionPath): void {
    // Nothing that a caller sends or stops sending may be anybody else's trouble.
    response.on('error', () => {});
    request.on('error', () => {});
    if (this.#options.isDraining()) {
      refuseRequest(request, response, problem(503, 'the broker is about to stop and takes no more calls'), {
        'retry-after': '1',
        connection: 'close',
      });
      return;
    }
    if (wanted.kind === 'call') return this.#desk.answer(request, response, wanted);
    const { to, name } = wanted;
    const { method } = request;
    if (wanted.kind === 'async' && method === 'DELETE') {
      return this.#desk.answer(request, response, { id: name, isResult: false, query: new URLSearchParams() });
    }
    if (to === undefined) {
      refuseRequest(
        request,
        response,
        problem(404, `there is no function ${name}: no Service of this name is declared`),
      );
      return;
    }
    if (wanted.kind === 'async' || isAsync(request)) {
      const style = wanted.kind === 'async' ? 'openfaas' : 'http';
      this.#desk.accept(request, response, { to, path: wanted.path, style });
      return;
    }
    this.#call(request, response, to, wanted.path);
  }

  #call(request: IncomingMessage, response: ServerResponse, to: Destination, path: string): void {
    const called = this.#options.functionOf(to.workload);
    if (called === undefined) {
      refuseRequest(request, response, problem(503, this.directory.trouble(to)), { 'retry-after': '1' });
      return;
    }
    const { socket } = request;
    const rawHeaders = requestHeaders(request);
    const callId = headerOf(rawHeaders, 'x-call-id') ?? randomUUID();
    const more: Record<string, string | undefined> = {
      'x-forwarded-for': socket.remoteAddress,
      'x-forwarded-host': request.headers.host,
      'x-forwarded-proto': 'encrypted' in socket ? 'https' : 'http',
      'x-call-id': callId,
    };
    for (const [name, value] of Object.entries(more)) {
      if (value !== undefined && headerOf(rawHeaders, name) === undefined) rawHeaders.push(name, value);
    }
    this.#callers.add(socket);
    const call = relay(request, response, {
      path,
      rawHeaders,
      answerHeaders: { 'x-call-id': callId },
      send: (it) => called.request(it, { tag: to.tag }),
      failed: (error) => refuseFailed(request, response, error, callId),
    });
    void call.finally(() => this.#callers.delete(socket));
  }
}

const FIRST_LETTERS = new Set(['f', 'a', 'c'].map((letter) => letter.charCodeAt(0)));

/** RFC 7240 §4.1. */
function isAsync({ headers }: IncomingMessage): boolean {
  const { prefer } = headers;
  return prefer !== undefined && /(?:^|,)\s*respond-async\s*(?:[,;]|$)/i.test([prefer].flat().join(','));
}

function refuseFailed(request: IncomingMessage, response: ServerResponse, error: unknown, callId: string): void {
  const { status, retryAfterMs } = error instanceof HandlerFailure ? error : new HandlerFailure(String(error));
  const message = error instanceof Error ? error.message : String(error);
  const headers: Record<string, string> = { 'x-call-id': callId };
  if (status === 503 || retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil((retryAfterMs ?? 0) / MS_A_SECOND)));
    refuseRequest(request, response, problem(503, message), headers);
    return;
  }
  // Who was too slow did not answer, so there is no status that says so.
  const isLate = status === 504 || /timed out|no answer within/.test(message);
  refuseRequest(request, response, problem(isLate ? 504 : 502, message), headers);
}
