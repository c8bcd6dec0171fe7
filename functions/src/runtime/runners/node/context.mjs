// What a handler is told about its call.
import { inspect } from 'node:util';

const FAILURE = Symbol('failure');

/** The context of a call; see FunctionContext in author.ts. `eventId` marks the lines of its logger. */
export function contextOf(request, signal, eventId) {
  const { method, url: path, headers } = request;
  return {
    signal,
    attempt: Number(headers['x-millrace-attempt'] ?? 1),
    deadline: Number(headers['x-millrace-deadline'] ?? Infinity),
    traceparent: headers.traceparent,
    request: { method, path, headers },
    logger: loggerFor(eventId),
    failure,
  };
}

/** An error that answers with a status of the author's choice; see FunctionContext.failure in author.ts. */
export function failure(message, { status = 500, retryAfterMs, cause } = {}) {
  const error = new Error(message, { cause });
  error.name = 'Failure';
  error[FAILURE] = { status, retryAfterMs };
  return error;
}

/** The status and the wait that an error of {@link failure} has; undefined for every other. */
export function failureIn(error) {
  return error?.[FAILURE];
}

/** The two control characters tell the reader of our output which event a line belongs to. */
export function markOf(eventId) {
  return eventId === undefined ? '' : `\u001e${eventId}\u001f`;
}

function loggerFor(eventId) {
  const mark = markOf(eventId);
  const write = (stream, message, fields) => {
    const text = typeof message === 'string' ? message : inspect(message);
    const line = fields === undefined ? text : `${text} ${JSON.stringify(fields)}`;
    stream.write(`${line.replaceAll(/^/gm, mark)}\n`);
  };
  return {
    debug: (message, fields) => write(process.stdout, message, fields),
    info: (message, fields) => write(process.stdout, message, fields),
    warn: (message, fields) => write(process.stderr, message, fields),
    error: (message, fields) => write(process.stderr, message, fields),
  };
}
