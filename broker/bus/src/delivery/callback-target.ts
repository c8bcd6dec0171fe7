import type { Dispatcher } from 'undici';

import { HandlerFailure } from '@millrace/event/handler';
import { retryAfter } from '@millrace/event/send';

import { answerHeadOf } from '../calls/head.ts';
import type { Addressed } from './attempt.ts';

export interface CallbackTargetOptions {
  /** The function's name, `<namespace>/<service>`. */
  readonly workload: string;
  readonly dispatcher: Dispatcher;
  /** Where names of the cluster are known; http addresses are asked for there. */
  readonly proxyUrl: () => string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Whoever asked to be called back: a POST of what the function answered, with the headers that OpenFaaS has for it. The
 * address comes with each result and is named nowhere else: it may hold credentials.
 */
export function callbackTarget({ workload, dispatcher, proxyUrl, now }: CallbackTargetOptions): Addressed {
  const name = workload.slice(workload.indexOf('/') + 1);
  return {
    address: `the callback of ${workload}`,
    async handler(event, { headers: travelling, signal }) {
      const head = answerHeadOf(travelling);
      if (head?.callback === undefined) throw new HandlerFailure('the entry names no callback', { status: 400 });
      const url = new URL(head.callback);
      const headers = [...withoutLength(head.headers)];
      if (travelling['traceparent'] !== undefined) headers.push('traceparent', travelling['traceparent']);
      if (url.username !== '' || url.password !== '') headers.push('authorization', basic(url));
      headers.push('x-call-id', event.id, 'x-function-name', name, 'x-function-status', String(head.status));
      headers.push('x-duration-seconds', (head.duration / 1_000).toFixed(6));
      const path = url.pathname + url.search;
      const proxy = url.protocol === 'http:' ? proxyUrl() : undefined;
      const to = proxy === undefined ? { origin: url.origin, path } : { origin: proxy, path: url.origin + path };
      const answer = await dispatcher
        .request({ ...to, method: 'POST', headers, body: event.data ?? null, signal, responseHeaders: 'raw' })
        .catch((error: NodeJS.ErrnoException) => {
          throw new HandlerFailure(`no answer (${error.code ?? error.name})`, { cause: error });
        });
      const status = answer.statusCode;
      const isTaken = status >= 200 && status < 300;
      const retryAfterMs = retryAfter(answer.headers as unknown as string[], now());
      await answer.body.dump();
      if (!isTaken) throw new HandlerFailure(`answered ${status}`, { status, retryAfterMs });
      return { status };
    },
  };
}

function* withoutLength(rawHeaders: readonly string[]): Generator<string> {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (/^(?:content-length|connection|date)$/i.test(rawHeaders[index]!)) continue;
    yield rawHeaders[index]!;
    yield rawHeaders[index + 1]!;
  }
}

function basic({ username, password }: URL): string {
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}
