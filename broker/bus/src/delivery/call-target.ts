import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, HandlerContext } from '@millrace/event/handler';
import { retryAfter } from '@millrace/event/send';
import { passingHeaders } from '@millrace/event/web';

import { callHeadOf } from '../calls/head.ts';
import type { AnswerHead } from '../calls/head.ts';
import { resultOf } from '../calls/result.ts';
import { withoutPrivate } from '../log/private-headers.ts';
import type { Addressed } from './attempt.ts';
import type { WebCallee } from './callee.ts';
import { Cancelled } from './cancellation.ts';
import { readBody } from './read-body.ts';

export interface CallTargetOptions {
  readonly address: string;
  /** The function's name, for people. */
  readonly workload: string;
  readonly callee: () => WebCallee | undefined;
  /** The longest answer that is read, in bytes. */
  readonly maxAnswerBytes: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The function answered, with a status that says that it failed. */
class FailedCall extends HandlerFailure {
  readonly rawHeaders: readonly string[];
  readonly whole: Uint8Array;

  constructor(status: number, rawHeaders: readonly string[], whole: Buffer, now: number) {
    super(`answered ${status}`, {
      status,
      body: whole.subarray(0, KEPT_OF_A_FAILURE),
      retryAfterMs: retryAfter(rawHeaders, now),
    });
    this.rawHeaders = rawHeaders;
    this.whole = whole;
  }
}

const KEPT_OF_A_FAILURE = 1_024;
/** What a caller who called it off is told (nginx's "client closed request": no RFC has a status for it). */
const CANCELLED_STATUS = 499;

/**
 * A function that gets the HTTP request which somebody made, from the log. Its answer, whatever it is, is the reply; a
 * status of 400 and above is a failure, and the reply of the last one.
 */
export function callTarget({ address, workload, callee, maxAnswerBytes, now }: CallTargetOptions): Addressed {
  return {
    address,
    callee,
    async handler(event, context) {
      const startedAt = now();
      const called = callee();
      if (called === undefined) throw new HandlerFailure(`the function ${workload} is not ready`, { status: 503 });
      const head = callHeadOf(context.headers);
      if (head === undefined) throw new HandlerFailure('the entry is no call of a function', { status: 400 });
      const call = {
        method: 'POST',
        path: head.path,
        rawHeaders: [...head.headers, ...travelling(context)],
        body: event.data,
        signal: context.signal,
      };
      const { status, rawHeaders, body } = await called.request(call, { tag: head.tag });
      const whole = await readBody(body, maxAnswerBytes);
      const headers = passingHeaders(rawHeaders);
      if (status >= 400) throw new FailedCall(status, headers, whole, now());
      const { attempt } = context;
      const { callback } = head;
      const made = { attempt, startedAt, duration: now() - startedAt, callback };
      return resultOf(event, { outcome: 'succeeded', status, headers, ...made }, whole, now());
    },
    lastWord(event, context, error): Answer {
      const callback = callHeadOf(context.headers)?.callback;
      const made = { attempt: context.attempt, startedAt: context.startedAt, duration: now() - context.startedAt };
      if (error instanceof FailedCall) {
        const { status = 500, rawHeaders, whole, message } = error;
        const head: AnswerHead = { outcome: 'failed', status, headers: rawHeaders, ...made, message, callback };
        return resultOf(event, head, whole, now());
      }
      const isCancelled = error instanceof Cancelled;
      const message = error instanceof Error ? error.message : String(error);
      // Nobody answered: to a caller, the function was not to be reached.
      const status = isCancelled ? CANCELLED_STATUS : error instanceof HandlerFailure ? (error.status ?? 503) : 503;
      const detail = isCancelled ? 'the call was cancelled' : message;
      const title = isCancelled ? 'Cancelled' : 'The function could not be called';
      const body = JSON.stringify({ type: 'about:blank', status, title, detail });
      const head: AnswerHead = {
        outcome: isCancelled ? 'cancelled' : 'failed',
        status,
        headers: ['content-type', 'application/problem+json'],
        ...made,
        message,
        callback,
      };
      return resultOf(event, head, Buffer.from(body), now());
    },
  };
}

/** What travels with the event, such as the trace; what the caller sent of these is in it already, or older. */
function travelling({ headers, attempt }: HandlerContext): string[] {
  return [...Object.entries(withoutPrivate(headers) ?? {}).flat(), 'x-millrace-attempt', String(attempt)];
}
