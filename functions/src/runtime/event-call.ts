import { randomUUID } from 'node:crypto';

import type { CloudEvent } from '@millrace/event/event';
import { EventFault, makeEvent } from '@millrace/event/event';
import type { Handler } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';
import { decodeHttp, encodeBinary, travellingHeaders } from '@millrace/event/http';
import { retryAfter } from '@millrace/event/send';
import { headerOf } from '@millrace/event/web';

import type { Workload } from '../workload.ts';
import { brokenCall } from './broken-call.ts';
import type { Instance } from './runtime.ts';

/** More than this of an answer is a failure, and is not read. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
/** How much of a refusal's body is read, so that what is kept of it can be masked first. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** What a dead letter carries of it. */
const KEPT_REFUSAL_BYTES = 1024;

/** The type of the reply that a plain answer becomes, unless `MILLRACE_REPLY_TYPE` is declared for the function. */
export const REPLY_TYPE = 'dev.millrace.function.reply';

/**
 * An instance as one who takes events: each goes to it in binary mode (CloudEvents HTTP binding §3.1).
 *
 * A 2xx with an event is a reply; a 2xx with a plain body becomes one (type {@link REPLY_TYPE}, source
 * `/functions/<namespace>/<service>`, the subject of the event), because that is how OpenFaaS, Fission and Nuclio
 * functions answer; a 2xx without a body is no reply. Everything else rejects: `NotTaken` when the event did not reach
 * the code, a `HandlerFailure` otherwise. `mask` hides secrets in what a refusal says.
 */
export function eventHandler(instance: Instance, workload: Workload, mask: (text: string) => string): Handler {
  return async (event, context) => {
    const { headers, attempt, signal } = context;
    const message = encodeBinary(event);
    const rawHeaders: string[] = [];
    for (const all of [headers, { 'x-millrace-attempt': String(attempt) }, message.headers]) {
      for (const name in all) rawHeaders.push(name, all[name]!);
    }
    const answer = await instance.call({ method: 'POST', path: '/', rawHeaders, body: message.body, signal }, event.id);
    const { status } = answer;
    const ok = status >= 200 && status < 300;
    const body = await readBody(answer.body, ok ? MAX_ANSWER_BYTES : MAX_REFUSAL_BYTES).catch(
      async (error: unknown) => {
        throw await brokenCall(workload, instance, signal, error);
      },
    );
    if (!ok) throw refusal(status, answer.rawHeaders, mask(body.bytes.toString()));
    if (body.cut) throw new HandlerFailure(`answered with more than ${MAX_ANSWER_BYTES} bytes`, { status });
    return {
      status,
      event: replyOf(workload, event, status, answer.rawHeaders, body.bytes),
      headers: travellingHeaders(answer.rawHeaders),
    };
  };
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
    retryAfterMs: retryAfter(rawHeaders, Date.now()),
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
        datacontenttype: headerOf(rawHeaders, 'content-type') ?? 'application/octet-stream',
      },
      body,
    );
  } catch (fault) {
    if (!(fault instanceof EventFault)) throw fault;
    // With the status that it had: to ask again would bring the same reply.
    throw new HandlerFailure(`replied with what is no CloudEvent: ${fault.message}`, { status, cause: fault });
  }
}
