import { travellingHeaders } from '@millrace/event/http';
import { headerOf } from '@millrace/event/web';

import type { Failed } from './evaluation.ts';
import type { Evaluator } from './evaluator.ts';
import { messageInput } from './input.ts';
import { transformInput } from './transform.ts';

/** A request to an EventTransform; the path was for whoever led it here. */
export interface TransformRequest {
  readonly method: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Aborts when nobody waits for the response any more. */
  readonly signal: AbortSignal;
}

export interface TransformResponse {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Posts a message to the sink. Resolves with the response, whatever its status; rejects when there is none. */
export type SinkCall = (message: Omit<TransformRequest, 'method'>) => Promise<TransformResponse>;

export interface TransformOptions {
  readonly evaluator: Evaluator;
  /** JSONata. */
  readonly expression: string;
  /** Where the result is posted. Default: it is the response. */
  readonly sink?: SinkCall | undefined;
  /** What becomes of the sink's response. Default: it passes as it is. */
  readonly reply?: { readonly expression: string } | 'discard' | undefined;
}

/**
 * Answers a request to an EventTransform (knative.md §1.6).
 *
 *   not POST                                405
 *   a batch                                 400   Reason: Unsupported batch input
 *   the expression, or the reply's, fails   500   Reason: why
 *   the sink does not answer                500   Reason: why
 *   no worker                               503   Reason: why
 *   no sink                                 200   the result
 *   a sink                                  its status; its body after `reply`
 *
 * Rejects only with the reason of the signal.
 */
export async function answerTransform(
  { method, rawHeaders, body, signal }: TransformRequest,
  { evaluator, expression, sink, reply }: TransformOptions,
): Promise<TransformResponse> {
  if (method !== 'POST') return refuse(405, `expected a POST, got ${method}`, ['Allow', 'POST']);
  if (BATCH.test(headerOf(rawHeaders, 'content-type') ?? '')) return refuse(400, 'Unsupported batch input');

  const result = await transformInput(messageInput(rawHeaders, body), expression, evaluator, signal);
  if (!('message' in result)) return refuseFor(result);
  const { contentType, body: json } = result.message;
  if (sink === undefined) return { status: 200, rawHeaders: ['Content-Type', contentType], body: json };

  const headers = ['Content-Type', contentType, ...travelling(rawHeaders)];
  let response: TransformResponse;
  try {
    response = await sink({ rawHeaders: headers, body: json, signal });
  } catch (error) {
    signal.throwIfAborted();
    return refuse(500, `the sink has not answered: ${(error as Error).message}`);
  }
  const { status } = response;
  if (status >= 300 && status < 400) return refuse(500, `the sink answered ${status}: redirects are not followed`);
  if (reply === 'discard') return { status, rawHeaders: [], body: new Uint8Array() };
  // A sink that answers with nothing leaves nothing to transform.
  if (reply === undefined || isEmpty(response)) {
    const passing = [...readBy(response.rawHeaders), ...travelling(response.rawHeaders)];
    return { status, rawHeaders: passing, body: response.body };
  }
  const input = messageInput(response.rawHeaders, response.body);
  const replied = await transformInput(input, reply.expression, evaluator, signal);
  if (!('message' in replied)) return refuseFor(replied);
  return { status, rawHeaders: ['Content-Type', replied.message.contentType], body: replied.message.body };
}

const BATCH = /^\s*application\/cloudevents-batch\b/i;

function isEmpty({ rawHeaders, body }: TransformResponse): boolean {
  return body.byteLength === 0 && headerOf(rawHeaders, 'ce-specversion') === undefined;
}

/** What a response is read by; whatever else a sink's server says is for its own connection. */
function readBy(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && /^(?:content-type|retry-after|ce-.+)$/i.test(name) ? [name, rawHeaders[index + 1]!] : [],
  );
}

function travelling(rawHeaders: readonly string[]): string[] {
  return Object.entries(travellingHeaders(rawHeaders) ?? {}).flat();
}

function refuseFor({ kind, reason }: Failed): TransformResponse {
  return refuse(kind === 'failed' ? 500 : 503, reason);
}

function refuse(status: number, reason: string, rawHeaders: readonly string[] = []): TransformResponse {
  return {
    status,
    rawHeaders: ['Reason', headerValue(reason), 'Content-Type', 'text/plain; charset=utf-8', ...rawHeaders],
    body: Buffer.from(reason),
  };
}

const LONGEST_HEADER = 1_024;

/** The reason as a header can say it: on one line, in ASCII. */
function headerValue(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, LONGEST_HEADER);
}
