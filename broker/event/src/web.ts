import type { Readable } from 'node:stream';

/** One HTTP request on its way to a program, the body as it comes. */
export interface WebCall {
  readonly method: string;
  /** Path and query, beginning with `/`. */
  readonly path: string;
  /** Names and values in turn; without those that are for one connection only (RFC 9110 §7.6.1). */
  readonly rawHeaders: readonly string[];
  readonly body: Readable | Uint8Array | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What a program answered: the head at once, the body as it comes. Destroying the body ends the call. */
export interface WebAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Readable;
}

// RFC 9110 §7.6.1 and what older proxies send.
const FOR_ONE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Leaves out the headers that are for one connection only, also those that `Connection` names. */
export function passingHeaders(rawHeaders: readonly string[]): string[] {
  const named = new Set((headerOf(rawHeaders, 'connection') ?? '').toLowerCase().split(/\s*,\s*/));
  const passing: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (!FOR_ONE_CONNECTION.has(name) && !named.has(name)) passing.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  return passing;
}

/** The first value of a header, or undefined. `name` in lower case. */
export function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.length === name.length && rawHeaders[index]!.toLowerCase() === name) {
      return rawHeaders[index + 1];
    }
  }
  return undefined;
}
