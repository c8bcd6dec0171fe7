import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { urlToHttpOptions } from 'node:url';

import { CommandFailure } from './exit-codes.ts';
import { printable } from './view/printable.ts';

/** Values of a query string; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** The admin port of a running process. */
export interface AdminClient {
  /** Its address as people may see it. */
  readonly url: string;
  /** Resolves with the JSON of the answer. Rejects with a {@link CommandFailure}: `notFound` for 404. */
  get<T>(path: string, query?: Query): Promise<T>;
  /** The same, with a JSON body. */
  post<T>(path: string, body: unknown): Promise<T>;
  /** Resolves once the process answers, with the lines that it sends until it goes; the connection may break instead. */
  follow(path: string, query?: Query): Promise<AsyncIterable<string>>;
}

/** Makes a client; connects with each call. Throws a {@link CommandFailure} for an address that is none. */
export function adminClient(address: string): AdminClient {
  const base = addressOf(address, '--admin');
  const url = shownAddress(base);

  async function ask(path: string, request: HttpRequest): Promise<IncomingMessage> {
    try {
      return await open(base, { ...request, path: base.pathname.replace(/\/$/, '') + path });
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const why = code === 'ECONNREFUSED' ? '' : ` (${code ?? message})`;
      throw new CommandFailure(
        'unreachable',
        `no millrace answers at ${url}${why}: start one with \`npm start\` or \`millrace up\`, or name its address with --admin`,
      );
    }
  }
  async function ok(path: string, request: HttpRequest): Promise<IncomingMessage> {
    const response = await ask(path, request);
    if (response.statusCode === 200) return response;
    throw failureOf(url, response.statusCode ?? 0, await bodyOf(response));
  }
  const json = async <T>(response: IncomingMessage): Promise<T> => {
    const body = await bodyOf(response);
    try {
      return JSON.parse(body.toString()) as T;
    } catch {
      throw noAdminPort(url, 200);
    }
  };

  return {
    url,
    get: async (path, query = {}) => json(await ok(path + queryOf(query), { method: 'GET' })),
    post: async (path, body) =>
      json(
        await ok(path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(body)),
        }),
      ),
    // Nothing may happen for hours, and that is no reason to hang up.
    follow: async (path, query = {}) =>
      linesOf(await ok(path + queryOf(query), { method: 'GET', answerTimeoutMs: undefined })),
  };
}

/** What came back for one request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Posts to an address. Resolves with the answer, whatever its status; rejects when there is none. Follows no redirect. */
export async function post(url: URL, headers: Record<string, string>, body: Uint8Array | undefined): Promise<Answer> {
  const response = await open(url, { method: 'POST', headers, body, path: url.pathname + url.search });
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response) };
}

/** Reads an address that a person gave. Throws a {@link CommandFailure} that names the flag. */
export function addressOf(text: string, flag: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CommandFailure(
    'usage',
    `${flag}: expected an address such as http://127.0.0.1:8081, got "${printable(text)}"`,
  );
}

/** The address without a password that it may hold. */
export function shownAddress({ origin, pathname }: URL): string {
  return `${origin}${pathname === '/' ? '' : pathname}`;
}

interface HttpRequest {
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | undefined;
  /** How long the connection may be silent, in milliseconds. Default: one minute; undefined: for ever. */
  readonly answerTimeoutMs?: number | undefined;
}

const ANSWER_TIMEOUT_MS = 60_000;

async function open(url: URL, { body, ...request }: HttpRequest & { path: string }): Promise<IncomingMessage> {
  const http = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const timeout = 'answerTimeoutMs' in request ? request.answerTimeoutMs : ANSWER_TIMEOUT_MS;
  const { method, path, headers = {} } = request;
  const length = { 'content-length': String(body?.byteLength ?? 0) };
  return new Promise((resolve, reject) => {
    const sent = http.request({
      ...urlToHttpOptions(url),
      method,
      path,
      headers: method === 'GET' ? headers : { ...headers, ...length },
      ...(timeout === undefined ? {} : { timeout }),
    });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1_000} s`)));
    sent.end(body);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Lines end with a line feed and nothing else: JSON may hold U+2028, at which node's own line reader breaks. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function queryOf(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}

function failureOf(url: string, status: number, body: Buffer): CommandFailure {
  const error = errorIn(body);
  if (error === undefined) return noAdminPort(url, status);
  return new CommandFailure(status === 404 ? 'notFound' : 'failure', printable(error));
}

function errorIn(body: Buffer): string | undefined {
  try {
    const { error } = JSON.parse(body.toString()) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

function noAdminPort(url: string, status: number): CommandFailure {
  return new CommandFailure(
    'failure',
    `what answers at ${url} is no admin port of millrace (it said ${status}): name the address with --admin or MILLRACE_ADMIN`,
  );
}
