import { EventFault } from '@millrace/event/event';

/** Why a request was refused, as RFC 9457 has it; `attribute`, `expected` and `got` where an event was at fault. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly attribute?: string;
  readonly expected?: string;
  readonly got?: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
};

export function problem(status: number, detail: string): Problem {
  return { status, title: TITLES[status] ?? 'Error', detail };
}

/** What an answer may have to speak of. */
export interface RequestFacts {
  readonly contentType: string | undefined;
  readonly maxEventBytes: number;
}

/** What an error on the way into the log means for the sender: `status` where the error has one, else 500. */
export function problemOf(error: unknown, request: RequestFacts): Problem {
  if (error instanceof EventFault) {
    const { attribute, expected, got, message } = error;
    return { ...problem(error.unsupportedMediaType ? 415 : 400, message), attribute, expected, got };
  }
  const {
    statusCode,
    status,
    code: kind,
    message,
  } = error as Error & { statusCode?: number; status?: number; code?: string };
  if (kind === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const { contentType } = request;
    return problemOf(
      new EventFault('datacontenttype', 'a media type (RFC 2046) such as "application/json"', contentType),
      request,
    );
  }
  if (kind === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return problem(
      413,
      `the body is too long: an event may have ${request.maxEventBytes} bytes of data (--max-event-bytes)`,
    );
  }
  const code = status ?? statusCode ?? 500;
  // What is ours to mend is told to the log, not to a stranger.
  return code === 500 ? problem(500, 'something went wrong inside the broker') : problem(code, message);
}

/** Whether the sender can read a JSON answer. */
export function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || accept === '' || /\*\/\*|application\/(?:\*|json|problem\+json)/i.test(accept);
}

/** The refusal of what is no HTTP request that could be routed: a whole response, for a socket. */
export function rawRefusal(error: { readonly code?: string }): string {
  const why = RAW[error.code ?? ''] ?? problem(400, 'this is no HTTP request that can be read');
  const body = JSON.stringify({ type: 'about:blank', ...why });
  return [
    `HTTP/1.1 ${why.status} ${why.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

const RAW: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: problem(431, 'the headers are too large'),
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, 'the request did not arrive in time'),
};
