/**
 * What the author of a Node function writes against: a handler in one of three forms, found by what the file exports.
 *
 * | the file exports                                                   | form                    |
 * | ------------------------------------------------------------------ | ----------------------- |
 * | a default function `(event, context)`                              | {@link FunctionHandler} |
 * | `handle`, or a default function whose first parameter is `context` | {@link FuncHandler}     |
 * | `fetch`, or a default function with only a `request` (or `req`)    | {@link FetchHandler}    |
 *
 * `handle` and `fetch` may also be methods of the default export; `module.exports =` stands for `export default`.
 * Imports are found beside the file, then among the packages that were installed for it; `millrace/agent` always is.
 *
 * Types only; a file in plain JavaScript names them in a comment:
 *
 *     // @ts-check
 *     /** @type {import('@millrace/functions/author').FunctionHandler} *\/
 *     export default async (event, context) => ({ type: 'com.example.done', data: { seen: event.id } });
 */
export type FunctionHandler = (event: FunctionEvent, context: FunctionContext) => unknown;

/**
 * The form of Knative's `func` for Node (faas-js-runtime). The second argument is the event; without one, the body,
 * parsed. It returns an event, `{ statusCode, headers, body }` or data. Beside it, a file may export `init` (ended
 * before the first call), `shutdown`, `liveness` and `readiness` (answer GET `/health/liveness` and
 * `/health/readiness`, or their `path`).
 */
export type FuncHandler = (context: FuncContext, event?: unknown) => unknown;

/** The web's form. Both bodies pass as they come; the signal of the request aborts when the caller has left. */
export type FetchHandler = (
  request: Request,
  environment: Readonly<Record<string, string | undefined>>,
  context: FunctionContext,
) => Response | Promise<Response>;

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
  /** The trace that the call belongs to: the header of this name (W3C Trace Context). */
  readonly traceparent?: string | undefined;
  /** What was asked, for a plain HTTP request, which comes as an event of type `dev.millrace.function.request`. */
  readonly request: {
    readonly method: string;
    /** With the query. */
    readonly path: string;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  };
  /** Prints lines that know their event, also when several events are at work at once. */
  readonly logger: Record<'debug' | 'info' | 'warn' | 'error', (message: unknown, fields?: object) => void>;
  /**
   * An error to throw when the answer shall have this status (default 500) and, in `Retry-After`, this wait: 429 and
   * 5xx are tried again, other 4xx go to the dead letters at once. Every other error answers 500.
   */
  readonly failure: (
    message: string,
    options?: { status?: number | undefined; retryAfterMs?: number | undefined; cause?: unknown },
  ) => Error;
}

/** What a function of `func` is told: also what every function is. */
export interface FuncContext extends Omit<FunctionContext, 'logger'> {
  readonly log: Record<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', (message: unknown) => void>;
  readonly method: string;
  readonly headers: FunctionContext['request']['headers'];
  readonly query: Readonly<Record<string, string>>;
  /** The data of the event, or the body, parsed. */
  readonly body: unknown;
  readonly httpVersion: string;
  readonly cloudevent?: FunctionEvent | undefined;
  /** Begins an event to return: `context.cloudEventResponse(data).type('com.example.done').response()`. */
  cloudEventResponse(data: unknown): EventBuilder;
}

/** An event, step by step. What is not said is filled in. */
export interface EventBuilder extends Record<
  'id' | 'source' | 'type' | 'subject' | 'version',
  (value: string) => EventBuilder
> {
  response(): FunctionEvent;
}
