import type { Dispatcher } from 'undici';

import { EventFault } from './fault.ts';
import { HandlerFailure } from './handler.ts';
import type { Answer, Handler, HandlerContext } from './handler.ts';
import { decodeHttp, encodeBinary, encodeStructured, travellingHeaders } from './http.ts';

export interface SendOptions {
  /** Connections to the origin of the URL; shared with everybody who sends there. */
  readonly dispatcher: Dispatcher;
  /** Headers of every request, such as `prefer: reply`. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The header `authorization` of each request, asked for each time. Default: none. */
  readonly authorization?: (() => Promise<string>) | undefined;
  /** `json` sends structured mode. Default: binary. */
  readonly format?: 'binary' | 'json' | undefined;
  /**
   * What a 2xx with a body that is no event means: `refuse` makes it a failure with status 502 (Trigger), `ignore` a
   * success without a reply (channel subscription); a malformed event is a failure to both. To `discard`, neither is
   * (whoever is asked for no reply: a dead letter sink, a reply address).
   */
  readonly nonEvent: 'refuse' | 'ignore' | 'discard';
  /** The longest answer that is read, in bytes. */
  readonly maxAnswerBytes: number;
  /** Milliseconds since 1970, which a date in `Retry-After` is measured by. */
  readonly now: () => number;
}

/**
 * A URL as a handler: one POST out, one answer in. Success is 2xx, and an event in it is the reply. Redirects are not
 * followed: they are failures with their status, like everything else that is not 2xx.
 */
export function urlHandler(url: string, options: SendOptions): Handler {
  const { origin, pathname, search } = new URL(url);
  const path = pathname + search;
  const { dispatcher, format, nonEvent, maxAnswerBytes, now } = options;
  const { authorization } = options;
  return (event, context) => {
    const message = format === 'json' ? encodeStructured(event) : encodeBinary(event);
    const headers = Object.assign(message.headers, options.headers, context.headers);
    const send = () =>
      new Promise<Answer>((resolve, reject) => {
        dispatcher.dispatch(
          { origin, path, method: 'POST', headers, body: message.body ?? null },
          new Exchange({ nonEvent, maxAnswerBytes, now, context, resolve, reject }),
        );
      });
    if (authorization === undefined) return send();
    return authorization().then((value) => {
      headers['authorization'] = value;
      return send();
    });
  };
}

/** What of a failed response is kept: enough for `knativeerrordata`, and no more. */
const KEPT_OF_A_FAILURE = 1_024;

interface ExchangeOptions {
  readonly nonEvent: SendOptions['nonEvent'];
  readonly maxAnswerBytes: number;
  readonly now: () => number;
  readonly context: HandlerContext;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: HandlerFailure) => void;
}

/** One request on its way and the answer as it comes in. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #rawHeaders: string[] = [];
  #bytes = 0;
  #abortedFor: Error | undefined;
  #stopListening: (() => void) | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { context } = options;
    const abort = (reason: Error) => {
      this.#abortedFor = reason;
      // Without a connection there is nothing to abort yet, and the attempt is over all the same.
      if (this.#controller === undefined) this.onResponseError(undefined, reason);
      else this.#controller.abort(reason);
    };
    if (context.onAbort !== undefined) {
      context.onAbort(abort);
      return;
    }
    const { signal } = context;
    const listener = () => abort(signal.reason as Error);
    if (signal.aborted) listener();
    signal.addEventListener('abort', listener);
    this.#stopListening = () => signal.removeEventListener('abort', listener);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedFor !== undefined) controller.abort(this.#abortedFor);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim responses (1xx) come before the answer.
    if (status < 200) return;
    this.#status = status;
    this.#rawHeaders = ((controller.rawHeaders ?? []) as Buffer[]).map((part) => part.toString('latin1'));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    const isFailure = this.#status >= 300;
    if (isFailure && this.#bytes - chunk.byteLength >= KEPT_OF_A_FAILURE) {
      // The rest of a failure's body is of no use to anybody.
      controller.abort(new Enough());
      return;
    }
    if (this.#bytes > this.#options.maxAnswerBytes) {
      controller.abort(new Error(`the answer is longer than ${this.#options.maxAnswerBytes} bytes`));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#stopListening?.();
    if (this.#status >= 200 && this.#status < 300) this.#succeed();
    else this.#options.reject(this.#failure());
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const { reject } = this.#options;
    this.#stopListening?.();
    if (error instanceof Enough) {
      reject(this.#failure());
      return;
    }
    reject(new HandlerFailure(messageOf(error), { cause: error }));
  }

  #succeed(): void {
    const { resolve, reject, nonEvent } = this.#options;
    const status = this.#status;
    if (this.#bytes === 0 && !mayBeAnEvent(this.#rawHeaders)) {
      resolve({ status });
      return;
    }
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    try {
      const event = decodeHttp(this.#rawHeaders, body);
      if (event === undefined && nonEvent === 'refuse') {
        reject(
          new HandlerFailure(`answered ${status} with a body that is no CloudEvent`, { status: 502, body: cut(body) }),
        );
      } else {
        resolve({ status, event, headers: travellingHeaders(this.#rawHeaders) });
      }
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      if (nonEvent === 'discard') resolve({ status });
      else
        reject(
          new HandlerFailure(`answered ${status} with a malformed event: ${error.message}`, {
            status: 502,
            body: cut(body),
          }),
        );
    }
  }

  #failure(): HandlerFailure {
    const status = this.#status;
    return new HandlerFailure(`answered ${status}`, {
      status,
      body: cut(Buffer.concat(this.#chunks)),
      retryAfterMs: retryAfter(this.#rawHeaders, this.#options.now()),
    });
  }
}

class Enough extends Error {}

const cut = (body: Buffer) => body.subarray(0, KEPT_OF_A_FAILURE);

function mayBeAnEvent(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (name, index) => index % 2 === 0 && name.length === 14 && name.toLowerCase() === 'ce-specversion',
  );
}

/** `Retry-After` in milliseconds (RFC 9110 §10.2.3): seconds or a date; undefined when absent or unreadable. */
export function retryAfter(rawHeaders: readonly string[], now: number): number | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() !== 'retry-after') continue;
    const value = rawHeaders[index + 1]!.trim();
    const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
    return Number.isNaN(ms) ? undefined : Math.max(0, ms);
  }
  return undefined;
}

/** What went wrong below HTTP, in words that name the address. */
function messageOf(error: Error & { code?: string }): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `connection refused (${error.message.replace(/^connect ECONNREFUSED /, '')})`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host is unknown (${error.message})`;
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
      return 'the connection was closed before the answer';
    default:
      return error.message === '' ? error.name : error.message;
  }
}
