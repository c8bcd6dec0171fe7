import type { CloudEvent } from './event.ts';

/**
 * The one port for all who take an event: a URL, a function, a sink, the gate of the log.
 * In one process a hop is a call; across processes it is an HTTP request; nobody above can tell.
 *
 * Resolves when the event has been taken for good, with the answer. Rejects with a {@link HandlerFailure}
 * when it has not; any other rejection counts as a failure without a response.
 */
export type Handler = (event: CloudEvent, context: HandlerContext) => Promise<Answer>;

export interface HandlerContext {
  /** Aborts when the attempt has run out of time or nobody waits for it any more. */
  readonly signal: AbortSignal;
  /**
   * Where present, calls once, with the reason, when the signal aborts: cheaper than the signal, for one listener who
   * is there once per event. The last one who asks is called.
   */
  onAbort?(call: (reason: Error) => void): void;
  /** Headers that travel with the event and are not part of it: `traceparent`, `x-request-id`, `knative-*` … Lower-case names. */
  readonly headers: Headers;
  /** Which attempt of this delivery it is, from 1. */
  readonly attempt: number;
}

export type Headers = Readonly<Record<string, string>>;

/** What came back from a handler that took the event. */
export interface Answer {
  /** The HTTP status, or what stands for it. */
  readonly status: number;
  /** The reply, when there was one. */
  readonly event?: CloudEvent | undefined;
  /** Headers that go on with the reply. */
  readonly headers?: Headers | undefined;
}

/** No header travels. */
export const NO_HEADERS: Headers = Object.freeze(Object.create(null));

/** The event was not taken. Whether it is tried again is the caller's policy; these are the facts for it. */
export class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure';
  /** The status of the response; undefined when there was none (refused, reset, timed out). */
  readonly status: number | undefined;
  /** The beginning of the response's body, at most 1024 bytes. */
  readonly body: Uint8Array | undefined;
  /** How long the `Retry-After` of the response asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: {
      status?: number | undefined;
      body?: Uint8Array | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: facts.cause });
    this.status = facts.status;
    this.body = facts.body;
    this.retryAfterMs = facts.retryAfterMs;
  }
}
