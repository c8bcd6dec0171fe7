import type { IncomingMessage } from 'node:http';

import { reachOf } from './admin-address.ts';
import type { AdminAddress } from './admin-address.ts';
import { CommandFailure } from './exit-codes.ts';
import { bodyOf, exchange, open, reasonOf } from './http.ts';
import { printable } from './view/printable.ts';

/** Values of a query string; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** The admin port of a running process. Every call rejects with a {@link CommandFailure} that says what to do. */
export interface AdminClient {
  /** Its address as people may see it. */
  readonly url: string;
  /** Resolves with the JSON of the answer. A failure is `notFound` for 404. */
  get<T>(path: string, query?: Query): Promise<T>;
  /** Resolves with the bytes of the answer. */
  bytes(path: string): Promise<Buffer>;
  /** As `get`, with a JSON body. `silenceMs` is how long it may take to answer; 0: for ever. Default: one minute. */
  post<T>(path: string, body: unknown, silenceMs?: number): Promise<T>;
  /** Resolves once the process answers, with the lines that it sends until it goes; reading them fails where it breaks. */
  follow(path: string, query?: Query): Promise<AsyncIterable<string>>;
}

/** What a process says of itself (`GET /api/about`). */
export interface About {
  readonly version: string;
  readonly pid: number;
  /** Where it takes events: `http://127.0.0.1:8080`. */
  readonly dataUrl: string;
  readonly adminUrl: string;
  readonly dataFolder: string;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** Makes a client; connects with each call. Throws a {@link CommandFailure} for an address that is none. */
export function adminClient(address: AdminAddress | string): AdminClient {
  const { base, url, headers, ca } = reachOf(address);
  const pathOf = (path: string, query: Query = {}) => base.pathname.replace(/\/$/, '') + path + queryOf(query);

  async function reached<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw unreachable(url, reasonOf(error));
    }
  }
  async function json<T>(request: Parameters<typeof exchange>[1]): Promise<T> {
    const { status, body } = await reached(
      exchange(base, { ...request, ca, headers: { ...headers, ...request.headers } }),
    );
    if (status !== 200) throw refused(url, status, body);
    const value = parsed(body);
    if (value === undefined) throw noAdminPort(url, status);
    return value as T;
  }

  return {
    url,
    get: (path, query) => json({ method: 'GET', path: pathOf(path, query) }),
    post: (path, body, silenceMs) =>
      json({
        method: 'POST',
        ...(silenceMs === undefined ? {} : { silenceMs }),
        path: pathOf(path),
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(body)),
      }),
    async bytes(path) {
      const { status, body } = await reached(exchange(base, { method: 'GET', path: pathOf(path), headers, ca }));
      if (status !== 200) throw refused(url, status, body);
      return body;
    },
    async follow(path, query) {
      // Nothing may happen for hours, and that is no reason to hang up.
      const response = await reached(
        open(base, { method: 'GET', path: pathOf(path, query), headers, ca, silenceMs: 0 }),
      );
      const { statusCode = 0 } = response;
      if (statusCode !== 200) throw refused(url, statusCode, await reached(bodyOf(response)));
      return linesOf(response);
    },
  };
}

/** Lines end with a line feed and nothing else: JSON may hold U+2028, at which node's own line reader breaks. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** The query string with its question mark; empty when nothing is given. */
export function queryOf(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** How node names certificates that it does not trust. */
const NOT_TRUSTED = /^(?:DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(?:VERIFY|GET_ISSUER)|^ERR_TLS_CERT_ALTNAME/;

/** Nobody answers there. */
export function unreachable(url: string, reason: string): CommandFailure {
  const why = reason === 'ECONNREFUSED' ? '' : ` (${reason})`;
  if (NOT_TRUSTED.test(reason)) {
    return new CommandFailure(
      'unreachable',
      `nobody whom this machine trusts vouches for ${url}${why}: give the certificate, or its authority's, with --ca-file`,
    );
  }
  return new CommandFailure(
    'unreachable',
    `no millrace answers at ${url}${why}: start one with \`npm start\` or \`millrace up\`, or name its address with --admin`,
  );
}

function refused(url: string, status: number, body: Buffer): CommandFailure {
  const { error } = (parsed(body) ?? {}) as { error?: unknown };
  if (typeof error !== 'string') return noAdminPort(url, status);
  return new CommandFailure(status === 404 ? 'notFound' : 'failure', printable(error));
}

/** Somebody answers there who is no millrace. */
export function noAdminPort(url: string, status: number): CommandFailure {
  return new CommandFailure(
    'failure',
    `what answers at ${url} is no admin port of millrace (it said ${status}): name the address with --admin or MILLRACE_ADMIN`,
  );
}
