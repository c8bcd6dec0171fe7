import { inspect } from 'node:util';

import type { APIError } from '@anthropic-ai/sdk';

/** How a call failed, as `context.failure` of a function takes it. */
export interface FailureFacts {
  readonly message: string;
  /** 408, 409, 429 and 5xx are tried again by the bus, any other goes to the dead letters at once. */
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** An error of the Messages API in the middle of a stream has a type and no status. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

const GAVE_UP = new Set(['APIUserAbortError', 'APIConnectionTimeoutError']);

/**
 * What an error of the SDK means for the event:
 *
 * - the API's own status and wait (`retry-after-ms`, else `retry-after` in seconds or as a date), so that a limit (429)
 *   or an overload (529) is waited out by the bus; but a 404, such as for a model that does not exist, becomes 400, since
 *   the bus would try a 404 again
 * - 504 when the call was cancelled or took too long, 503 when the API was not reached or broke off
 * - 500 for what the SDK refuses by itself
 *
 * `secrets` are masked. `now` is in milliseconds since 1970.
 */
export function factsOf(error: unknown, secrets: readonly string[] = [], now: number = Date.now()): FailureFacts {
  const mask = (text: string): string => secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
  const shown = inspect(error);
  const cause = mask(shown) === shown ? error : undefined;
  const message = mask(`the model did not answer: ${describe(error)}`);
  return {
    message,
    status: statusOf(error),
    retryAfterMs: isApiError(error) ? waitOf(error.headers, now) : undefined,
    cause,
  };
}

/** The SDK is not loaded here only to ask what its errors are instances of. */
function isApiError(error: unknown): error is Partial<APIError> & Error {
  return error instanceof Error && 'requestID' in error;
}

function describe(error: unknown): string {
  if (!isApiError(error)) return error instanceof Error ? error.message : inspect(error);
  const { status, apiMessage, message, requestID, cause } = error;
  const what = apiMessage ? [status, apiMessage].filter(Boolean).join(' ') : message;
  const why = cause instanceof Error ? ` (${reasonOf(cause)})` : '';
  return `${what}${why}${requestID ? ` (request ${requestID})` : ''}`;
}

/** Of `fetch failed`, the reason is one deeper. */
function reasonOf(cause: Error): string {
  return cause.cause instanceof Error ? cause.cause.message || String(cause.cause) : cause.message;
}

function statusOf(error: unknown): number {
  if (!isApiError(error)) return 500;
  const status = error.status ?? STATUS_OF_TYPE[error.type ?? ''];
  if (status === undefined) return GAVE_UP.has(error.name) ? 504 : 503;
  return status === 404 ? 400 : status;
}

function waitOf(headers: Headers | undefined, now: number): number | undefined {
  const milliseconds = numberOf(headers?.get('retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const after = headers?.get('retry-after');
  const seconds = numberOf(after);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(after ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function numberOf(header: string | null | undefined): number | undefined {
  const number = Number(header?.trim() || Number.NaN);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}
