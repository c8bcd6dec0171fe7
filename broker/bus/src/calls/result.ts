import { EventFault, makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import type { Answer } from '@millrace/event/handler';
import { headerOf } from '@millrace/event/web';

import { CALLBACK_EXTENSION } from '../plan/calls.ts';
import { answerHeaders } from './head.ts';
import type { AnswerHead } from './head.ts';

/** The type of the event that is an asynchronous call of a function, and of the one that tells what came of it. */
export const CALL_TYPE = 'dev.millrace.function.call';
export const RESULT_TYPE = 'dev.millrace.function.result';

/** What came of a call, as the reply that enters the topic of results: the answer's body is its data. */
export function resultOf(call: CloudEvent, head: AnswerHead, body: Uint8Array | undefined, now: number): Answer {
  const attributes = {
    specversion: '1.0',
    id: call.id,
    source: call.source,
    type: RESULT_TYPE,
    time: new Date(now).toISOString(),
    datacontenttype: headerOf(head.headers, 'content-type'),
    [CALLBACK_EXTENSION]: head.callback === undefined ? undefined : new URL(head.callback).origin,
  };
  const data = body === undefined || body.byteLength === 0 ? undefined : body;
  return { status: head.status, event: eventOf(attributes, data), headers: answerHeaders(head) };
}

/** A function may call its body anything; what is no media type is kept with the answer's headers only. */
function eventOf(attributes: Record<string, unknown>, data: Uint8Array | undefined): CloudEvent {
  try {
    return makeEvent(attributes, data);
  } catch (error) {
    if (!(error instanceof EventFault) || error.attribute !== 'datacontenttype') throw error;
    return makeEvent({ ...attributes, datacontenttype: undefined }, data);
  }
}
