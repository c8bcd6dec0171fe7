import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { Agent } from 'undici';

import { HandlerFailure } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';
import { unavailable } from '@millrace/functions/unavailable';

import { startBus } from '../../../../test/support/bus.ts';
import type { TestBus } from '../../../../test/support/bus.ts';
import type { BusOptions } from '../bus.ts';
import type { FunctionHost } from '../control/ports.ts';

/** A manifest of a Service in a namespace, with the tags of its traffic. */
export function service(name: string, { namespace = 'default', tags = [] as string[] } = {}): string {
  const traffic = tags.map((tag) => ({ tag, percent: 0, latestRevision: true }));
  const spec = { template: { spec: { containers: [{ image: name }] } }, traffic: [...traffic, { percent: 100 }] };
  return `---\n${JSON.stringify({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name, namespace }, spec })}\n`;
}

/** Answers a request. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Every declared function is this one program, over a real socket; `x-workload` and `x-tag` say which was meant. */
export interface Program extends AsyncDisposable {
  readonly functions: FunctionHost;
  /** Answers so from now on. */
  answer(listener: Listener): void;
  /** Fails so from now on, without an answer. */
  fail(failure: () => HandlerFailure): void;
}

export async function startProgram(first: Listener = echo): Promise<Program> {
  let listener = first;
  let failure: (() => HandlerFailure) | undefined;
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: 200 });
  const server = createServer((request, response) => void listener(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = async (workload: string, call: WebCall, tag = ''): Promise<WebAnswer> => {
    if (failure !== undefined) throw failure();
    const { path, method, body, signal } = call;
    const headers = [...call.rawHeaders, 'x-workload', workload, 'x-tag', tag];
    try {
      const options = { origin, path, method, headers, body: body ?? null, signal, responseHeaders: 'raw' } as const;
      const answer = await agent.request(options);
      return { status: answer.statusCode, rawHeaders: answer.headers as unknown as string[], body: answer.body };
    } catch (error) {
      throw new HandlerFailure(String(error), { cause: error });
    }
  };
  return {
    functions: {
      start: ({ name }) => ({
        ...unavailable('', ''),
        request: (call, options) => request(name, call, options?.tag),
        change() {},
        status: () => ({ ...unavailable('', '').status(), state: 'running' }),
      }),
    },
    answer(next) {
      failure = undefined;
      listener = next;
    },
    fail(next) {
      failure = next;
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a program saw of a request. */
export interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Answers with what it got. */
export const echo: Listener = (request, response) => {
  void echoOf(request).then((body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
};

async function echoOf(request: IncomingMessage): Promise<Echo> {
  const { method = '', url = '', headers } = request;
  return { method, path: url, headers: headers as Record<string, string>, body: await text(request) };
}

/** A bus whose functions are the program. */
export interface Served extends AsyncDisposable {
  readonly program: Program;
  at: TestBus;
  readonly url: string;
}

/** Starts both. */
export async function serve(yaml: string, options: Partial<BusOptions> = {}): Promise<Served> {
  const program = await startProgram();
  const at = await startBus({ functions: program.functions, ...options });
  const served: Served = {
    program,
    at,
    get url() {
      return this.at.url;
    },
    async [Symbol.asyncDispose]() {
      await this.at[Symbol.asyncDispose]();
      await program[Symbol.asyncDispose]();
    },
  };
  try {
    await at.apply(yaml);
  } catch (error) {
    await served[Symbol.asyncDispose]();
    throw error;
  }
  return served;
}
