import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';

import { headerOf, passingHeaders } from '@millrace/event/web';
import type { WebAnswer, WebCall } from '@millrace/event/web';

export interface RelayOptions {
  /** Path and query as the other side is to see them. */
  readonly path: string;
  /** The headers of the request, names and values in turn. Default: those of the request that pass. */
  readonly rawHeaders?: readonly string[];
  /** Headers of the answer that are set where it has none of them: names in lower case. */
  readonly answerHeaders?: Readonly<Record<string, string>>;
  readonly send: (call: WebCall) => Promise<WebAnswer>;
  /** There is no answer. Nothing has been sent to the caller yet. */
  readonly failed: (error: unknown) => void;
}

/**
 * Hands a request on and its answer back as they come: nothing is gathered, and who is slow slows the other down. When
 * the caller goes, the exchange is aborted; when the answer breaks off, so does the caller's connection. Resolves when
 * the exchange is over; never rejects.
 */
export async function relay(request: IncomingMessage, response: ServerResponse, options: RelayOptions): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller has gone'));
  });
  let answer: WebAnswer;
  try {
    answer = await options.send({
      method: request.method ?? 'GET',
      path: options.path,
      rawHeaders: options.rawHeaders ?? requestHeaders(request),
      body: bodyOf(request),
      signal: gone.signal,
    });
    writeHead(response, answer, options.answerHeaders);
  } catch (error) {
    if (gone.signal.aborted) response.destroy();
    else options.failed(error);
    readToTheEnd(request);
    return;
  }
  await new Promise<void>((resolve) => {
    pipeline(answer.body, response, () => resolve());
  });
  readToTheEnd(request);
}

/** The headers of a request that pass; what it expects of this connection has been seen to by the server. */
export function requestHeaders({ rawHeaders }: IncomingMessage): string[] {
  const passing = passingHeaders(rawHeaders);
  for (let index = passing.length - 2; index >= 0; index -= 2) {
    if (passing[index]!.toLowerCase() === 'expect') passing.splice(index, 2);
  }
  return passing;
}

/** The body through a stream of its own: whoever destroys that does not destroy the connection that answers. */
function bodyOf(request: IncomingMessage): Readable | undefined {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  return coding === undefined && Number(length) === 0 ? undefined : request.pipe(new PassThrough());
}

/** What nobody reads any more goes nowhere, so that the next request of the connection comes through. */
function readToTheEnd(request: IncomingMessage): void {
  if (request.complete) return;
  request.unpipe();
  request.resume();
}

function writeHead(response: ServerResponse, answer: WebAnswer, more: RelayOptions['answerHeaders'] = {}): void {
  const rawHeaders = passingHeaders(answer.rawHeaders);
  for (const name in more) if (headerOf(rawHeaders, name) === undefined) rawHeaders.push(name, more[name]!);
  try {
    response.writeHead(answer.status, rawHeaders);
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
  response.flushHeaders();
}
