import type { WebResponse } from '@millrace/event/source';

/** The event is durable, or was already. */
export const ACCEPTED: WebResponse = { status: 202 };

/** Which methods a webhook takes. */
const ALLOW = 'POST, OPTIONS';

/** An error in the form of RFC 9457. The detail says what was expected and what to do; no secrets. */
export function problem(status: number, detail: string, headers: Record<string, string> = {}): WebResponse {
  const title = TITLES[status] ?? (status < 500 ? 'Not accepted' : 'Not available');
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: { title, status, detail },
  };
}

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Not signed by a known key',
  405: 'Method not allowed',
  415: 'Unsupported media type',
  500: 'Internal error',
  503: 'Not available now',
  507: 'No room for events',
};

/** For any method but POST and OPTIONS. */
export function methodNotAllowed(method: string): WebResponse {
  return problem(405, `expected POST, got ${method}`, { allow: ALLOW });
}

/** For a content type that is not among those taken; the answer names them (RFC 9110 §15.5.16). */
export function unsupportedMediaType(taken: readonly string[], contentType: string | undefined): WebResponse {
  const types = taken.join(', ');
  const got = contentType === undefined ? 'none' : JSON.stringify(contentType);
  return problem(415, `expected a content-type of ${types}, got ${got}`, { accept: types });
}

/** How long a sender is asked to wait. */
const RETRY_AFTER_SECONDS = '5';

/** The source does not take events now. */
export function unavailable(detail: string): WebResponse {
  return problem(503, detail, { 'retry-after': RETRY_AFTER_SECONDS });
}

/** The event was not made durable. An error may say by `status` which answer it asks for; 503 otherwise. */
export function refusalOf(error: unknown): WebResponse {
  const { status } = (error ?? {}) as { status?: unknown };
  const isError = typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599;
  if (!isError) return unavailable('the event could not be stored; send it again');
  // What the sender can mend is told to it; what is wrong with us is not.
  if (status < 500 && status !== 429) return problem(status, (error as Error).message);
  return problem(status, 'the event could not be stored; send it again', { 'retry-after': RETRY_AFTER_SECONDS });
}

/**
 * The answer to OPTIONS: whoever asks whether it may send, may (CloudEvents 1.0 http-webhook.md §4.2). Events are kept
 * from strangers by signatures, not by this.
 */
export function handshake(origin: string | undefined): WebResponse {
  if (origin === undefined) return { status: 200, headers: { allow: ALLOW } };
  return {
    status: 200,
    headers: { allow: ALLOW, 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' },
  };
}
