import type { Status } from '@millrace/apiserver/api/status';

import { linesOf, noAdminPort, queryOf, unreachable } from './client.ts';
import type { Query } from './client.ts';
import { reachOf } from './admin-address.ts';
import type { AdminAddress } from './admin-address.ts';
import { CommandFailure } from './exit-codes.ts';
import { bodyOf, exchange, open, reasonOf } from './http.ts';
import { printable } from './view/printable.ts';

/** A request to the Kubernetes API of a running process. */
export interface ApiRequest {
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/apis/eventing.knative.dev/v1/namespaces/default/triggers`. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body. Default: `application/json`. */
  readonly contentType?: string;
  /** Default: `application/json`. */
  readonly accept?: string;
}

/** What was answered. */
export interface ApiAnswer<T> {
  /** 200, or 201 for what is new. */
  readonly code: number;
  readonly body: T;
}

/** One line of a watch; `object` is a Table where one was asked for, a Status in an ERROR. */
export interface ApiEvent<T = unknown> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** The Kubernetes API of a running process. Every call rejects with a {@link CommandFailure} that says what to do. */
export interface ApiClient {
  /** Its address as people may see it. */
  readonly url: string;
  /** Resolves with the answer; what the server warns of is told. Rejects with an {@link ApiRefusal} when it refuses. */
  send<T>(request: ApiRequest): Promise<ApiAnswer<T>>;
  /** Resolves once the watch begins, with its events until the server ends it, it breaks or the signal ends it. */
  watch(request: ApiRequest, signal?: AbortSignal): Promise<AsyncIterable<ApiEvent>>;
}

/** The server says no, and why. The exit code is that of the reason. */
export class ApiRefusal extends CommandFailure {
  readonly status: Status;

  constructor(status: Status, method: string) {
    super(kindOf(status, method), printable(textOf(status)));
    this.status = status;
  }
}

function textOf({ code, message = `the server refused it (${code})` }: Status): string {
  if (code !== 401) return message;
  return 'the API asks for a token: give its file with --token-file, or the token itself in MILLRACE_TOKEN';
}

function kindOf({ code }: Status, method: string): ConstructorParameters<typeof CommandFailure>[0] {
  if (code === 404) return 'notFound';
  if (code === 409) return 'conflict';
  // What was sent is a manifest; what only asks has its words from the command line.
  if (code === 400 || code === 413 || code === 422) return method === 'PATCH' ? 'invalid' : 'usage';
  return 'failure';
}

/**
 * Makes a client of the API behind an admin port; connects with each call. `warn` hears each warning of the server once.
 * Throws a {@link CommandFailure} for an address that is none.
 */
export function apiClient(address: AdminAddress | string, warn: (text: string) => void): ApiClient {
  const { base, url, headers: entering, ca } = reachOf(address);
  const warned = new Set<string>();

  async function reached<T>(answer: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw unreachable(url, reasonOf(error));
    }
  }
  function requestOf({ method = 'GET', path, query, body, contentType, accept = 'application/json' }: ApiRequest) {
    return {
      method,
      path: base.pathname.replace(/\/$/, '') + path + queryOf(query ?? {}),
      ca,
      headers: {
        accept,
        ...entering,
        ...(body !== undefined && { 'content-type': contentType ?? 'application/json' }),
      },
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    };
  }
  /** The JSON of an answer that is none of a refusal. */
  function read(status: number, body: Buffer, method: string): unknown {
    const value = parsed(body);
    if (typeof value !== 'object' || value === null) throw noAdminPort(url, status);
    if (status < 300) return value;
    if ((value as Partial<Status>).kind !== 'Status') throw noAdminPort(url, status);
    throw new ApiRefusal(value as Status, method);
  }

  return {
    url,
    async send<T>(request: ApiRequest): Promise<ApiAnswer<T>> {
      const sent = requestOf(request);
      const { status, headers, body } = await reached(exchange(base, sent));
      for (const warning of warningsOf(headers['warning'])) {
        if (!warned.has(warning)) warn(warning);
        warned.add(warning);
      }
      return { code: status, body: read(status, body, sent.method) as T };
    },
    async watch(request, signal) {
      const sent = requestOf({ ...request, query: { ...request.query, watch: 'true' } });
      // Nothing may happen for hours, and that is no reason to hang up.
      const response = await reached(open(base, { ...sent, silenceMs: 0, signal }), signal);
      const { statusCode = 0 } = response;
      if (statusCode !== 200) read(statusCode, await reached(bodyOf(response), signal), sent.method);
      return eventsOf(linesOf(response), { url, signal });
    },
  };
}

async function* eventsOf(
  lines: AsyncIterable<string>,
  { url, signal }: { url: string; signal: AbortSignal | undefined },
): AsyncGenerator<ApiEvent> {
  try {
    for await (const line of lines) yield JSON.parse(line) as ApiEvent;
  } catch (error) {
    if (signal?.aborted === true) return;
    throw new CommandFailure('unreachable', `${url} has gone away (${printable(reasonOf(error))})`);
  }
}

/** The texts of a `Warning` header (RFC 7234 §5.5); node puts several into one, with commas between. */
export function warningsOf(header: string | readonly string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : ((header as string | undefined) ?? '');
  return [...text.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted = '']) =>
    quoted.replaceAll(/\\(.)/g, '$1'),
  );
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
