/**
 * What the author of a Node function writes against. Types only; a file in plain JavaScript names them in a comment:
 *
 *     // @ts-check
 *     /** @type {import('@millrace/functions/author').FunctionHandler} *\/
 *     export default async (event, context) => ({ type: 'com.example.done', data: { seen: event.id } });
 */
export type FunctionHandler = (event: FunctionEvent, context: FunctionContext) => unknown;

/** An event: its attributes and extensions by name (extensions are text), and its data. */
export interface FunctionEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** Parsed under a JSON content type, a string under `text/*`, else a Buffer; undefined when there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data?: any;
  /** The data as it came. */
  readonly dataBytes?: Uint8Array;
  readonly [extension: string]: unknown;
}

/** What a function is told about the call. */
export interface FunctionContext {
  /** Aborts when nobody waits for the answer any more. Hand it to what you call. */
  readonly signal: AbortSignal;
  /** Which attempt of this delivery it is, from 1. */
  readonly attempt: number;
  /** When the call will be given up, in milliseconds since 1970. */
  readonly deadline: number;
  /** Prints lines that know their event, also when several events are at work at once. */
  readonly logger: Record<'debug' | 'info' | 'warn' | 'error', (message: unknown, fields?: object) => void>;
  /**
   * An error to throw when the answer shall have this status (default 500) and, in `Retry-After`, this wait: 429 and
   * 5xx are tried again, other 4xx go to the dead letters at once. Every other error answers 500.
   */
  failure(
    message: string,
    options?: { status?: number | undefined; retryAfterMs?: number | undefined; cause?: unknown },
  ): Error;
}
