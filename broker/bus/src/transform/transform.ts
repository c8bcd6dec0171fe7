import { checkAttribute } from '@millrace/event/attributes';
import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeJson } from '@millrace/event/json';
import { members } from '@millrace/event/json-scan';

import type { Evaluation, Failed } from './evaluation.ts';
import type { Evaluator } from './evaluator.ts';
import { eventInput } from './input.ts';

/** What an expression made: an event when it has a `specversion`, any other object or list as a document. */
export type Transformed =
  | { readonly kind: 'event'; readonly event: CloudEvent; readonly message: Message }
  | { readonly kind: 'document'; readonly message: Message }
  | Failed;

/** As it is sent over HTTP. */
export interface Message {
  /** The `contenttype` of the result, else `application/cloudevents+json` for an event, else `application/json`. */
  readonly contentType: string;
  /** The result as JSON, in UTF-8. */
  readonly body: Uint8Array;
}

/** Transforms an event. Rejects only with the reason of the signal. */
export function transformEvent(
  event: CloudEvent,
  expression: string,
  evaluator: Evaluator,
  signal?: AbortSignal,
): Promise<Transformed> {
  return transformInput(eventInput(event), expression, evaluator, signal);
}

/** Transforms what is JSON already. Rejects only with the reason of the signal. */
export async function transformInput(
  input: string,
  expression: string,
  evaluator: Evaluator,
  signal?: AbortSignal,
): Promise<Transformed> {
  return transformedOf(await evaluator.evaluate(expression, input, signal));
}

function transformedOf(evaluation: Evaluation): Transformed {
  if (evaluation.kind === 'nothing') return failed('the expression has no value for this input: expected an object');
  if (evaluation.kind !== 'value') return evaluation;
  const { json } = evaluation;
  // A list is an object to the runtime of Knative too (`in` of JavaScript).
  if (!/^[[{]/.test(json)) return failed(`expected an object, got ${json.slice(0, MOST_SHOWN)}`);
  const body = Buffer.from(json);
  const { specversion, contenttype } = json.startsWith('{') ? markers(json) : {};
  try {
    const contentType = contentTypeOf(contenttype, specversion);
    const message = { contentType, body };
    return specversion === undefined
      ? { kind: 'document', message }
      : { kind: 'event', event: decodeJson(body), message };
  } catch (error) {
    if (!(error instanceof EventFault)) throw error;
    return failed(`the result is not what it should be: ${error.message}`);
  }
}

const MOST_SHOWN = 80;

interface Markers {
  readonly specversion?: string;
  readonly contenttype?: string;
}

/** The text of the members that tell what an object is; nothing else of it is read. */
function markers(json: string): Markers {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { name, start, end } of members(json, 0)) {
    if (name === 'specversion' || name === 'contenttype') found[name] = json.slice(start, end);
  }
  return found;
}

function contentTypeOf(contenttype: string | undefined, specversion: string | undefined): string {
  const named: unknown = contenttype === undefined ? undefined : JSON.parse(contenttype);
  // What JavaScript takes for false counts as absent there.
  if (!named) return specversion === undefined ? 'application/json' : 'application/cloudevents+json';
  try {
    checkAttribute('datacontenttype', named);
    return named;
  } catch (error) {
    throw error instanceof EventFault ? new EventFault('contenttype', error.expected, named) : error;
  }
}

function failed(reason: string): Transformed {
  return { kind: 'failed', reason };
}
