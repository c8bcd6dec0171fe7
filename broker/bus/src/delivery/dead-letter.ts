import { withExtensions } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';

import type { Failure } from '../log/progress.ts';

/** The longest `knativeerrordata`, in characters of base64 (knative/eventing `attributes/knative_error.go`). */
const MAX_ERROR_DATA = 1_024;

/** What an attempt's error says of itself, as it is kept with the entry. */
export function failureOf(error: unknown, destination: string): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof HandlerFailure)) return { destination, message };
  const data = error.body === undefined || error.body.byteLength === 0 ? undefined : base64(error.body);
  return { destination, status: error.status, message, data };
}

/**
 * The event as a dead letter sink gets it: with where, how and why it failed. `knativeerrorcode` is absent when there
 * was no response, and `knativeerrordata` is then the error's message.
 */
export function asDeadLetter(event: CloudEvent, failure: Failure): CloudEvent {
  return withExtensions(event, {
    knativeerrordest: failure.destination,
    knativeerrorcode: failure.status,
    knativeerrordata: failure.data ?? (failure.status === undefined ? base64(Buffer.from(failure.message)) : undefined),
  });
}

function base64(bytes: Uint8Array): string {
  // Cut the bytes, not the text: what is cut stays readable base64.
  const kept = bytes.subarray(0, (MAX_ERROR_DATA / 4) * 3);
  return Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString('base64');
}
