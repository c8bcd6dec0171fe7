import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { CloudEvent } from '@millrace/event/event';
import { decodeHttp } from '@millrace/event/http';

/** One request that a subscriber got. */
export interface Received {
  readonly event: CloudEvent | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly path: string;
}

export interface Respond {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Never answer. */
  readonly hang?: boolean;
}

/** A subscriber over a real socket that answers as it is told and remembers what it got. */
export interface Subscriber extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** Resolves when it has got so many requests. */
  count(requests: number): Promise<readonly Received[]>;
  /** Answers differently from now on. */
  answer(respond: (received: Received, nth: number) => Respond | Promise<Respond>): void;
}

export async function startSubscriber(
  respond: (received: Received, nth: number) => Respond | Promise<Respond> = () => ({}),
): Promise<Subscriber> {
  const received: Received[] = [];
  const waiting: { requests: number; resolve: (all: readonly Received[]) => void }[] = [];
  let answering = respond;
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const one: Received = {
      event: decodeHttp(request.rawHeaders, body),
      headers: request.headers,
      body,
      path: request.url ?? '',
    };
    received.push(one);
    for (const { requests, resolve } of waiting) if (received.length >= requests) resolve(received);
    const { status = 202, headers = {}, body: answer, hang } = await answering(one, received.length);
    if (hang === true) return;
    response.writeHead(status, headers).end(answer);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received,
    count: (requests) =>
      new Promise((resolve) => {
        if (received.length >= requests) resolve(received);
        else waiting.push({ requests, resolve });
      }),
    answer(next) {
      answering = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
