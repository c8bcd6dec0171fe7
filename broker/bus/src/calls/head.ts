import type { Headers } from '@millrace/event/handler';

import { ANSWER_HEADER, CALL_HEADER } from '../log/private-headers.ts';

/** What of a function's HTTP request is kept beside its body. It may hold credentials: nobody is shown it. */
export interface CallHead {
  /** Path and query as the function sees them. */
  readonly path: string;
  /** The tag of `spec.traffic` that was asked for. */
  readonly tag?: string | undefined;
  /** Names and values in turn, as the function gets them. */
  readonly headers: readonly string[];
  /** Where the caller wants to be told what came of it. */
  readonly callback?: string | undefined;
}

/** What came of a call, beside the body. */
export interface AnswerHead {
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  /** Of the function's answer, or what stands for it where there was none. */
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The attempt that decided it. */
  readonly attempt: number;
  /** Milliseconds since 1970, and milliseconds. */
  readonly startedAt: number;
  readonly duration: number;
  /** Why there is no better answer, for people. */
  readonly message?: string | undefined;
  readonly callback?: string | undefined;
}

/** Heads as headers of an entry: small state beside an event whose data is the body. */
export function withCallHead(headers: Headers | undefined, head: CallHead): Headers {
  return { ...headers, [CALL_HEADER]: JSON.stringify(head) };
}

/** The head of a call; undefined for an entry that is none. */
export function callHeadOf(headers: Headers | undefined): CallHead | undefined {
  const text = headers?.[CALL_HEADER];
  return text === undefined ? undefined : (JSON.parse(text) as CallHead);
}

/** An answer's head as headers. */
export function answerHeaders(head: AnswerHead): Headers {
  return { [ANSWER_HEADER]: JSON.stringify(head) };
}

/** The head of a result; undefined for an entry that is none. */
export function answerHeadOf(headers: Headers | undefined): AnswerHead | undefined {
  const text = headers?.[ANSWER_HEADER];
  return text === undefined ? undefined : (JSON.parse(text) as AnswerHead);
}
