import { randomUUID } from 'node:crypto';

import type { CloudEvent } from '@millrace/event/event';
import { EventFault, makeEvent } from '@millrace/event/event';
import type { Answer, HandlerContext } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';
import { decodeHttp, encodeBinary, travellingHeaders } from '@millrace/event/http';
import type { Dispatcher } from 'undici';

import type { Workload } from '../workload.ts';
import { NotTaken } from './runtime.ts';

/** More than this of an answer is a failure, and is not read. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
/** How much of a refusal's body is read, so that what is kept of it can be masked first. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** What a dead letter carries of it. */
const KEPT_REFUSAL_BYTES = 1024;

/** The type of the reply that a plain answer becomes, unless `MILLRACE_REPLY_TYPE` is declared for the function. */
export const REPLY_TYPE = 'dev.millrace.function.reply';

/**
 * Calls a program that speaks HTTP, with the event in binary mode (CloudEvents HTTP binding §3.1).
 *
 * A 2xx with an event is a reply; a 2xx with a plain body becomes one (type {@link REPLY_TYPE}, source
 * `/functions/<namespace>/<service>`, the subject of the event), because that is how OpenFaaS, Fission and Nuclio
 * functions answer; a 2xx without a body is no reply. Everything else rejects: {@link NotTaken} when no connection
 * came about, a `HandlerFailure` otherwise.
 */
export async function callOverHttp(
  server: Dispatcher,
  workload: Workload,
  mask: (text: string) => string,
  event: CloudEvent,
  context: HandlerContext,
): Promise<Answer> {
  const message = encodeBinary(event);
  const response = await server
    .request({
      origin: 'http://localhost',
      path: '/',
      method: 'POST',
      headers: { ...context.headers, 'x-millrace-attempt': String(context.attempt), ...message.headers },
      body: message.body ?? null,
      signal: context.signal,
      responseHeaders: 'raw',
    })
    .catch((error: unknown) => {
      throw isRefusedConnection(error) ? new NotTaken('no connection', { cause: error }) : error;
    });
  const status = response.statusCode;
  const rawHeaders = response.headers as unknown as string[];
  const ok = status >= 200 && status < 300;
  const body = await readBody(response.body, ok ? MAX_ANSWER_BYTES : MAX_REFUSAL_BYTES);
  if (!ok) throw refusal(status, rawHeaders, mask(body.bytes.toString()));
  if (body.cut) throw new HandlerFailure(`answered with more than ${MAX_ANSWER_BYTES} bytes`, { status });
  return {
    status,
    event: replyOf(workload, event, status, rawHeaders, body.bytes),
    headers: travellingHeaders(rawHeaders),
  };
}

function isRefusedConnection(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'UND_ERR_CONNECT_TIMEOUT';
}

async function readBody(stream: AsyncIterable<Buffer>, limit: number): Promise<{ bytes: Buffer; cut: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop early destroys the stream, and with it the connection.
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, limit), cut: length > limit };
}

function refusal(status: number, rawHeaders: readonly string[], text: string): HandlerFailure {
  return new HandlerFailure(`answered ${status}${said(text)}`, {
    status,
    body: Buffer.from(text).subarray(0, KEPT_REFUSAL_BYTES),
    retryAfterMs: retryAfterMs(rawHeaders),
  });
}

/** The runners' own refusals say `{error, message}`; anybody else's are quoted. */
function said(text: string): string {
  if (text === '') return '';
  try {
    const { error, message } = JSON.parse(text) as { error?: unknown; message?: unknown };
    if (typeof error === 'string' && typeof message === 'string') return `: ${error}: ${message}`.slice(0, 500);
  } catch {
    // Not JSON: quoted below.
  }
  return `: ${text.slice(0, 200)}`;
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfterMs(rawHeaders: readonly string[]): number | undefined {
  const value = header(rawHeaders, 'retry-after');
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function replyOf(
  workload: Workload,
  event: CloudEvent,
  status: number,
  rawHeaders: readonly string[],
  body: Buffer,
): CloudEvent | undefined {
  try {
    const reply = decodeHttp(rawHeaders, body);
    if (reply !== undefined || body.length === 0) return reply;
    return makeEvent(
      {
        specversion: '1.0',
        id: randomUUID(),
        source: `/functions/${workload.name}`,
        type: workload.environment['MILLRACE_REPLY_TYPE'] || REPLY_TYPE,
        subject: event.subject,
        time: new Date().toISOString(),
        datacontenttype: header(rawHeaders, 'content-type') ?? 'application/octet-stream',
      },
      body,
    );
  } catch (fault) {
    if (!(fault instanceof EventFault)) throw fault;
    // With the status that it had: to ask again would bring the same reply.
    throw new HandlerFailure(`replied with what is no CloudEvent: ${fault.message}`, { status, cause: fault });
  }
}

function header(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === name) return rawHeaders[index + 1];
  }
  return undefined;
}
