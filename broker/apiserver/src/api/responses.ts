import type { ServerResponse } from 'node:http';

import { Refusal } from './status.ts';

/** Answers with JSON (texts and bytes are sent as they are), and with what the client should be warned of. */
export function send(
  response: ServerResponse,
  code: number,
  body: object | string | Buffer,
  contentType = 'application/json',
  warnings: readonly string[] = [],
): void {
  const bytes =
    body instanceof Buffer ? body : Buffer.from(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
  if (warnings.length > 0) {
    response.setHeader('warning', [...new Set(warnings)].slice(0, MAX_WARNINGS).map(warningOf));
  }
  response.writeHead(code, {
    'content-type': contentType,
    'content-length': bytes.length,
    'cache-control': 'no-cache, private',
  });
  response.end(bytes);
}

/** Headers have a limit in clients; who gets so many warnings reads no more. */
const MAX_WARNINGS = 20;
const MAX_WARNING = 256;

/** A `Warning` header as Kubernetes sends it (RFC 7234 §5.5, code 299). */
function warningOf(text: string): string {
  const plain = text.replaceAll(/[^\u0020-\u007e]/g, '?').slice(0, MAX_WARNING);
  return `299 - "${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Answers with what went wrong; what is no refusal is a fault of ours, told to `failed` and not to the client. */
export function sendError(response: ServerResponse, error: unknown, failed: (error: unknown) => void): void {
  if (response.destroyed) return;
  const isRefusal = error instanceof Refusal;
  if (!isRefusal) failed(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status } = isRefusal
    ? error
    : new Refusal(500, 'InternalError', 'Internal error occurred: the log of the server says more');
  // What was not read of the body stands before the next request.
  if (!response.req.complete) response.setHeader('connection', 'close');
  send(response, status.code, status);
}
