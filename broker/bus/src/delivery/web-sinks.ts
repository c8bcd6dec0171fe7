import type { Dispatcher } from 'undici';

import { HandlerFailure } from '@millrace/event/handler';

import type { SinkCall } from '../transform/transform-door.ts';
import type { WebCallee } from './callee.ts';
import { readBody } from './read-body.ts';

/** What those have in common whose whole answer is wanted, whatever it is. */
interface WebSinkOptions {
  /** Of every request: names and values in turn. */
  readonly headers: readonly string[];
  /** The longest answer that is read, in bytes. */
  readonly maxAnswerBytes: number;
}

/** A URL that is posted to. Rejects when there is no answer, or one that is too long. */
export function urlSink({
  dispatcher,
  path,
  headers,
  maxAnswerBytes,
}: WebSinkOptions & { readonly dispatcher: Dispatcher; readonly path: string }): SinkCall {
  return async ({ rawHeaders, body, signal }) => {
    const answer = await dispatcher.request({
      path,
      method: 'POST',
      headers: [...rawHeaders, ...headers],
      body,
      signal,
      responseHeaders: 'raw',
    });
    const whole = await readBody(answer.body, maxAnswerBytes);
    return { status: answer.statusCode, rawHeaders: answer.headers as unknown as string[], body: whole };
  };
}

/** A function that is posted to. Rejects as its `request` does, and with a `HandlerFailure` (503) while it is not there. */
export function functionSink({
  callee,
  workload,
  headers,
  maxAnswerBytes,
}: WebSinkOptions & { readonly callee: () => WebCallee | undefined; readonly workload: string }): SinkCall {
  return async ({ rawHeaders, body, signal }) => {
    const called = callee();
    if (called === undefined) throw new HandlerFailure(`the function ${workload} is not ready`, { status: 503 });
    const call = { method: 'POST', path: '/', rawHeaders: [...rawHeaders, ...headers], body, signal };
    const answer = await called.request(call);
    const whole = await readBody(answer.body, maxAnswerBytes);
    return { status: answer.status, rawHeaders: answer.rawHeaders, body: whole };
  };
}
