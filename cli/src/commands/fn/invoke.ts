import { fstatSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';

import type { FunctionView } from '@millrace/bus/admin/functions';

import { adminClient } from '../../client.ts';
import type { About, AdminClient } from '../../client.ts';
import { composeMessages, contentTypeOf, readData } from '../../compose.ts';
import type { SaidEvent } from '../../compose.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { certificateFor } from '../../admin-address.ts';
import { bodyOf, detailOf, open, reasonOf } from '../../http.ts';
import type { HttpRequest } from '../../http.ts';
import { print, tell } from '../../output.ts';
import { printable } from '../../view/printable.ts';
import { answerLine } from '../../view/answer-line.ts';
import { functionName } from './options.ts';
import type { FunctionName, NamedOptions } from './options.ts';

interface InvokeOptions extends NamedOptions, Partial<SaidEvent> {
  readonly path: string;
  readonly method: string;
  readonly header?: readonly string[];
  readonly tag?: string;
  readonly async?: true;
  readonly wait?: true;
  readonly timeout?: number;
  readonly verbose?: true;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** `millrace fn invoke`. */
export async function invoke(given: string, data: string | undefined, options: InvokeOptions): Promise<void> {
  const name = functionName(given, options);
  const { method, body, headers } = await requestOf(data, options);
  const client = adminClient(options.admin);
  const { dataUrl } = await client.get<About>('/api/about');
  const to = options.tag === undefined ? pathTo(name, options) : await pathToTag(client, name, options);
  const signal = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout * 1_000);
  const address = new URL(dataUrl);
  const ca = certificateFor(address, { caFile: options.admin.caFile, port: 'events' });
  const send = (request: HttpRequest) => sent(address, { silenceMs: 0, signal, ca, ...request }, options.timeout);
  const startedAt = performance.now();

  const isAsync = options.async === true;
  const prefer: Headers = isAsync ? { prefer: 'respond-async' } : {};
  const answer = await send({ method, path: to.path, body, headers: { ...headers, ...to.headers, ...prefer } });
  const { location } = answer.headers;
  // Only a call that was kept has a place where its result will be.
  const isKept = isAsync && answer.statusCode === 202 && location !== undefined;
  if (isKept && options.wait !== true) {
    const id = String(answer.headers['x-call-id']);
    await bodyOf(answer);
    if (isTalkative(options)) tell(`the call is kept; its result will be at ${dataUrl}${location}/result`);
    return print(`${printable(id)}\n`);
  }
  const result = isKept ? await resultAt(location, answer, send) : answer;
  await printAnswer(result, { client, name, options, startedAt });
}

function isTalkative({ verbose }: InvokeOptions): boolean {
  return verbose === true || process.stderr.isTTY;
}

// ------------------------------------------------------------ what is sent

const OF_EVENTS = ['source', 'id', 'subject', 'ext'] as const;

async function requestOf(
  argument: string | undefined,
  options: InvokeOptions,
): Promise<{ method: string; body: Uint8Array | undefined; headers: Headers }> {
  if (options.wait === true && options.async !== true) {
    throw new CommandFailure('usage', '--wait: goes with --async; without that every call waits');
  }
  const { data: flag, type, source = 'millrace-cli', contentType } = options;
  const method = options.method.toUpperCase();
  if (argument !== undefined && flag !== undefined) {
    throw new CommandFailure('usage', 'the data is said twice: as an argument and by --data');
  }
  const own = headersOf(options.header ?? []);
  // Whoever types the text itself means it, also when it begins with @.
  const bytes = argument === undefined ? await dataOf(flag, method) : Buffer.from(argument);
  if (type !== undefined) {
    const [message] = await composeMessages({ ...options, type, source, bytes }, 'binary', 1);
    return { method, body: message!.body ?? new Uint8Array(), headers: { ...message!.headers, ...own } };
  }
  const stray = OF_EVENTS.find((it) => options[it] !== undefined);
  if (stray !== undefined)
    throw new CommandFailure('usage', `--${stray}: only an event has it; say its --type as well`);
  const described: Headers = bytes === undefined ? {} : { 'content-type': contentType ?? contentTypeOf(bytes) };
  return { method, body: bytes, headers: { ...described, ...own } };
}

async function dataOf(flag: string | undefined, method: string): Promise<Buffer | undefined> {
  if (flag !== undefined) return readData(flag);
  if (method === 'GET' || method === 'HEAD' || !isPiped()) return undefined;
  const piped = await readData('-');
  return piped.length === 0 ? undefined : piped;
}

/** Whether something is written to this command: a terminal, or a device such as /dev/null, is nothing that ends. */
function isPiped(): boolean {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile() || stdin.isSocket();
  } catch {
    return false;
  }
}

function headersOf(said: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of said) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new CommandFailure('usage', printable(`--header: expected "Name: value", got "${line}"`));
    }
    (headers[name.toLowerCase()] ??= []).push(value);
  }
  return headers;
}

function pathTo({ namespace, service }: FunctionName, { path }: InvokeOptions): { path: string; headers: Headers } {
  return {
    path: `/functions/${encodeURIComponent(namespace)}/${encodeURIComponent(service)}${absolute(path)}`,
    headers: {},
  };
}

/** A tag has no path, only a host name of its own. */
async function pathToTag(
  client: AdminClient,
  name: FunctionName,
  { tag = '', path }: InvokeOptions,
): Promise<{ path: string; headers: Headers }> {
  const { revisions } = await client.get<FunctionView>(name.path);
  const tags = revisions.flatMap((it) => it.tags);
  if (!tags.includes(tag)) {
    const known = tags.join(', ') || 'none';
    throw new CommandFailure(
      'notFound',
      printable(`${name.full} has no revision of the tag ${tag}; its tags: ${known}`),
    );
  }
  const host = `${tag}-${name.service}.${name.namespace}.svc.cluster.local`;
  return { path: absolute(path), headers: { host } };
}

function absolute(path: string): string {
  const escaped = path.replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent);
  return escaped.startsWith('/') ? escaped : `/${escaped}`;
}

async function sent(address: URL, request: HttpRequest, timeout: number | undefined): Promise<IncomingMessage> {
  try {
    return await open(address, request);
  } catch (error) {
    throw asFailure(error, request, { address, timeout });
  }
}

function asFailure(
  error: unknown,
  { signal }: HttpRequest,
  { address, timeout }: { address: URL; timeout: number | undefined },
): CommandFailure {
  if (signal?.aborted === true) return new CommandFailure('failure', `no answer within ${timeout} s`);
  const { code = '', message } = error as Error & { code?: string };
  // Node itself would not send it, such as a header with a character that headers cannot hold.
  if (code.startsWith('ERR_')) return new CommandFailure('usage', printable(`this cannot be sent: ${message}`));
  return new CommandFailure('unreachable', `nothing answers at ${address.origin} (${reasonOf(error)})`);
}

// ------------------------------------------------------------ what comes back

/** Asks until the result is there. */
async function resultAt(
  location: string,
  accepted: IncomingMessage,
  send: (request: HttpRequest) => Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  for (let answer = accepted; ;) {
    await bodyOf(answer);
    answer = await send({ method: 'GET', path: `${location}/result?wait=30s` });
    if (answer.statusCode !== 202 || answer.headers['x-function-status'] !== undefined) return answer;
  }
}

interface Asked {
  readonly client: AdminClient;
  readonly name: FunctionName;
  readonly options: InvokeOptions;
  /** Of `performance.now()`. */
  readonly startedAt: number;
}

async function printAnswer(answer: IncomingMessage, { client, name, options, startedAt }: Asked): Promise<void> {
  const { statusCode: status = 0 } = answer;
  const line = () => tell(answerLine(answer, performance.now() - startedAt));
  try {
    if (status >= 200 && status < 300) {
      for await (const chunk of answer) await print(chunk as Buffer);
      if (isTalkative(options)) line();
      return;
    }
    const body = await bodyOf(answer);
    // Is it the function's own 404, or is there no such function? The admin port says which is like it.
    if (status === 404 && answer.headers['millrace-revision'] === undefined) await client.get(name.path);
    if (isTalkative(options)) line();
    throw new CommandFailure('failure', printable(`${name.full} answered ${status}: ${detailOf(body)}`));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    if (options.timeout !== undefined && (error as Error).name === 'AbortError') {
      throw new CommandFailure('failure', `the answer has not ended within ${options.timeout} s`);
    }
    throw new CommandFailure('failure', printable(`the answer broke off (${reasonOf(error)})`));
  }
}
