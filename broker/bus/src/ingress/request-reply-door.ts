import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeMessage, encodeBinary, travellingHeaders } from '@millrace/event/http';
import { headerOf } from '@millrace/event/web';

import type { RequestReplyDoor } from '../plan/plan.ts';
import type { RequestReplies } from '../replies/request-replies.ts';
import { hopsOf } from './hops.ts';
import { DoorRefusal } from './paths.ts';
import type { Door, DoorAnswer, DoorRequest } from './paths.ts';
import { acceptsJson, problem } from './problem.ts';
import type { Problem } from './problem.ts';

const BATCH = /^\s*application\/cloudevents-batch\b/i;
const EMPTY = new Uint8Array();

/**
 * The door of a RequestReply (knative.md §1.7): holds each event until its reply has come.
 *
 *   <path>         200   the reply, in binary mode
 *                  408   no reply in time
 *                  503   the bus is about to stop: no reply any more
 *   <path>/reply   202   a reply, by hand
 *
 * and what the door of a broker answers to what it does not take.
 */
export function requestReplyDoor(declared: RequestReplyDoor, requestReplies: RequestReplies): Door {
  return async (request) => {
    const { method, rest } = request;
    if (method === 'OPTIONS') return { status: 200, rawHeaders: OPTIONS, body: EMPTY };
    if (method !== 'POST') throw new DoorRefusal(405, `${method} is not for events: POST them`);
    if (rest !== '' && rest !== '/reply') {
      throw new DoorRefusal(400, `${declared.path} has no ${rest}: POST to it, or to ${declared.path}/reply`);
    }
    const event = eventOf(request);
    return rest === '' ? ask(event, request) : reply(event);
  };

  async function ask(event: CloudEvent, { rawHeaders, signal }: DoorRequest): Promise<DoorAnswer> {
    const arrival = { event, headers: travellingHeaders(rawHeaders), hops: hopsOf(rawHeaders) };
    const held = await requestReplies.ask(declared, arrival, signal);
    switch (held.outcome) {
      case 'replied': {
        const { headers, body = EMPTY } = encodeBinary(held.event);
        return { status: 200, rawHeaders: Object.entries(headers).flat(), body };
      }
      case 'stopping': {
        const why = problem(503, 'the broker is about to stop: the event is accepted, its reply does not come here');
        return problemAnswer(why, rawHeaders, ['Retry-After', '1', 'Connection', 'close']);
      }
      case 'late':
      case 'gone': {
        const detail = `no reply within ${declared.timeoutMs / 1_000} s; the event is accepted and goes its way`;
        return problemAnswer(problem(408, detail), rawHeaders);
      }
    }
  }

  function reply(event: CloudEvent): DoorAnswer {
    const { replyAttribute } = declared;
    switch (requestReplies.reply(declared, event)) {
      case 'no reply id':
        throw new EventFault(replyAttribute, 'the value that the request was given', undefined);
      case 'no text':
        throw new EventFault(replyAttribute, 'a string', event.extensions[replyAttribute]);
      case 'not ours':
        throw new DoorRefusal(400, `${replyAttribute} is no value that a request was given here`);
      case 'answered':
      case 'nobody waits':
        return { status: 202, rawHeaders: [], body: EMPTY };
    }
  }
}

/** As the door of a broker answers (knative.md §2.1). */
const OPTIONS = ['Allow', 'POST, OPTIONS', 'WebHook-Allowed-Origin', '*', 'WebHook-Allowed-Rate', '*'];

function eventOf({ rawHeaders, body }: DoorRequest): CloudEvent {
  const contentType = headerOf(rawHeaders, 'content-type');
  if (BATCH.test(contentType ?? '')) throw new EventFault('content-type', 'one event, no batch', contentType);
  const [event] = decodeMessage(rawHeaders, body) ?? [];
  if (event !== undefined) return event;
  throw new EventFault(
    'ce-specversion',
    'a CloudEvent: this header, or Content-Type application/cloudevents+json',
    undefined,
  );
}

function problemAnswer(why: Problem, asked: readonly string[], more: readonly string[] = []): DoorAnswer {
  if (!acceptsJson(headerOf(asked, 'accept'))) return { status: why.status, rawHeaders: more, body: EMPTY };
  return {
    status: why.status,
    rawHeaders: ['Content-Type', 'application/problem+json', ...more],
    body: Buffer.from(JSON.stringify({ type: 'about:blank', ...why })),
  };
}
