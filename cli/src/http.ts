import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { urlToHttpOptions } from 'node:url';

import { CommandFailure } from './exit-codes.ts';
import { printable } from './view/printable.ts';

// Not fetch: that hangs up on a stream that is silent for five minutes, and refuses ports that browsers refuse.

/** A request; `path` and not the address says what is asked for, so that nothing of it is normalised. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | undefined;
  /** How long the connection may be silent, in milliseconds; 0: for ever. Default: one minute. */
  readonly silenceMs?: number;
  /** Trusted beside the authorities that node knows; PEM. */
  readonly ca?: string | undefined;
  /** Breaks it off, also while the answer is read. */
  readonly signal?: AbortSignal | undefined;
}

/** What came back for one request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Resolves with the whole answer, whatever its status; rejects when there is none. Follows no redirect. */
export async function exchange(address: URL, request: HttpRequest): Promise<Answer> {
  const response = await open(address, request);
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response) };
}

/** The same, but resolves once the answer begins; the caller reads the rest. */
export async function open(address: URL, request: HttpRequest): Promise<IncomingMessage> {
  const http = address.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const { method, path, headers, body, silenceMs = 60_000, signal, ca } = request;
  const length = body === undefined ? {} : { 'content-length': String(body.byteLength) };
  const trusted = ca === undefined ? {} : { ca: await trusting(ca) };
  return new Promise((resolve, reject) => {
    const options = {
      ...urlToHttpOptions(address),
      method,
      path,
      headers: { ...headers, ...length },
      timeout: silenceMs,
      ...trusted,
      ...(signal === undefined ? {} : { signal }),
    };
    const sent = http.request(options, resolve);
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${silenceMs / 1_000} s`)));
    sent.end(body);
  });
}

async function trusting(ca: string): Promise<string[]> {
  const { getCACertificates } = await import('node:tls');
  return [...getCACertificates('default'), ca];
}

/** Reads what is left of an answer. */
export async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What an answer says of itself (RFC 9457, or `message` or `error` of its JSON), or the beginning of it. */
export function detailOf(body: Buffer): string {
  const text = body.toString();
  try {
    const { detail, message, error } = JSON.parse(text) as Record<string, unknown>;
    const said = [detail, message, error].find((it) => typeof it === 'string');
    if (said !== undefined) return said;
  } catch {
    // Then it is no problem document.
  }
  return text === '' ? 'it does not say why' : text.slice(0, 500);
}

/** Reads an address that a person gave. Throws a {@link CommandFailure} that names the flag. */
export function addressOf(text: string, flag: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  const got = printable(text);
  throw new CommandFailure('usage', `${flag}: expected an address such as http://127.0.0.1:8081, got "${got}"`);
}

/** The address for people, without a password that it may hold. */
export function shownAddress({ origin, pathname }: URL): string {
  return `${origin}${pathname === '/' ? '' : pathname}`;
}

/** Why there was no answer, in a word where there is one: `ECONNREFUSED`. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  return code ?? message;
}
