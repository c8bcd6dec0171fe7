import assert from 'node:assert/strict';

import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure, NO_HEADERS } from '@millrace/event/handler';
import type { Handler, HandlerContext } from '@millrace/event/handler';

import { eventHandler } from './runtime/event-call.ts';
import { maskOf } from './runtime/process/log-lines.ts';
import type { Instance } from './runtime/runtime.ts';
import type { Workload } from './workload.ts';

/** An event `e-1` of type `com.example.asked` with JSON data; `attributes` change it, `data` replaces the data. */
export function anEvent(
  attributes: Record<string, unknown> = {},
  data: Uint8Array | string = JSON.stringify({ question: 'why' }),
): CloudEvent {
  const base = { specversion: '1.0', id: 'e-1', source: '/test', type: 'com.example.asked' };
  return makeEvent({ ...base, datacontenttype: 'application/json', ...attributes }, Buffer.from(data));
}

/** The first attempt, with no header. */
export function aContext(signal: AbortSignal = new AbortController().signal): HandlerContext {
  return { signal, headers: NO_HEADERS, attempt: 1 };
}

/** The data of an event as text; empty without an event. */
export function textOf(event: CloudEvent | undefined): string {
  return Buffer.from(event?.data ?? []).toString();
}

/** The data of an event, parsed. */
// oxlint-disable-next-line typescript/no-explicit-any
export function jsonOf(event: CloudEvent | undefined): any {
  return JSON.parse(textOf(event));
}

/** The failure that the call rejects with; anything else fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<HandlerFailure> {
  const failure = await call.then(
    () => assert.fail('expected a failure'),
    (error: unknown) => error,
  );
  assert.ok(failure instanceof HandlerFailure, String(failure));
  return failure;
}

/** Resolves when the condition holds; the test's own timeout is the bound. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** An instance as one who takes events, as its function calls it. */
export function handlerOf(instance: Instance, workload: Workload): Handler {
  return eventHandler(instance, workload, maskOf(workload.secretValues));
}
