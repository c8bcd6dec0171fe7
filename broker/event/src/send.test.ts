import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test } from 'node:test';

import { Agent } from 'undici';

import { makeEvent } from './event.ts';
import { HandlerFailure, NO_HEADERS } from './handler.ts';
import type { Answer, HandlerContext } from './handler.ts';
import { retryAfter, urlHandler } from './send.ts';
import type { SendOptions } from './send.ts';
import { startRawServer } from '../../../test/support/raw.ts';

const EVENT = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, Buffer.from('data'));
const MIB = 1024 * 1024;
const OK = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n';

type Options = Partial<SendOptions> & { readonly context?: Partial<HandlerContext> };

/** Sends one event, and lets go of its connection. */
async function send(url: string, { context, ...options }: Options = {}): Promise<Answer> {
  const dispatcher = new Agent();
  const defaults = { dispatcher, nonEvent: 'refuse', maxAnswerBytes: MIB, now: () => 0 } as const;
  const signal = new AbortController().signal;
  try {
    return await urlHandler(url, { ...defaults, ...options })(EVENT, {
      signal,
      headers: NO_HEADERS,
      attempt: 1,
      ...context,
    });
  } finally {
    await dispatcher.destroy();
  }
}

/** Sends one event, which must fail. */
async function failure(url: string, options?: Options): Promise<HandlerFailure> {
  const outcome: unknown = await send(url, options).catch((error: unknown) => error);
  assert.ok(outcome instanceof HandlerFailure, `it did not fail as it should: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** A server that answers each request with these bytes. */
const answering = (text: string | Uint8Array) => startRawServer((socket) => void socket.write(text));

const response = (status: string, body = '', ...headers: string[]) =>
  [`HTTP/1.1 ${status}`, `content-length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n');

/** Writes for as long as somebody reads. */
function writeForEver(socket: Socket, chunk: Buffer): void {
  const write = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
}

describe('a 2xx', () => {
  test('without a body is a success without a reply', async () => {
    for (const status of ['200 OK', '202 Accepted', '204 No Content', '299 Fine']) {
      await using server = await answering(response(status));
      assert.deepEqual(await send(server.url), { status: Number(status.slice(0, 3)) });
    }
  });

  test('with an event in it is a reply, and headers that travel come along', async () => {
    const ce = ['ce-specversion: 1.0', 'ce-id: 2', 'ce-source: /r', 'ce-type: r', 'traceparent: 00-a', 'x-other: no'];
    await using server = await answering(response('200 OK', 'answer', ...ce));
    const { event, headers } = await send(server.url);
    assert.equal(event!.id, '2');
    assert.deepEqual(Buffer.from(event!.data!).toString(), 'answer');
    assert.deepEqual({ ...headers }, { traceparent: '00-a' });
  });

  test('with an event of headers alone is a reply', async () => {
    const ce = ['ce-specversion: 1.0', 'ce-id: 2', 'ce-source: /r', 'ce-type: r'];
    await using server = await answering(response('200 OK', '', ...ce));
    assert.equal((await send(server.url)).event!.data, undefined);
  });

  test('with a body that is no event is a 502 where a reply is expected, and a success where it may be none', async () => {
    await using server = await answering(response('200 OK', 'thanks', 'content-type: text/plain'));
    const failed = await failure(server.url);
    assert.equal(failed.status, 502);
    assert.equal(Buffer.from(failed.body!).toString(), 'thanks');
    for (const nonEvent of ['ignore', 'discard'] as const) {
      const { status, event } = await send(server.url, { nonEvent });
      assert.deepEqual([status, event], [200, undefined]);
    }
  });

  for (const [what, body, ...headers] of [
    ['an event that is malformed', '{"id":1}', 'content-type: application/cloudevents+json'],
    ['a batch of events', '[]', 'content-type: application/cloudevents-batch+json'],
    ['an event without an id', 'x', 'ce-specversion: 1.0', 'ce-source: /r', 'ce-type: r'],
  ] as const) {
    test(`with ${what} is a 502 where a reply may be, and a success where none is asked for`, async () => {
      await using server = await answering(response('200 OK', body, ...headers));
      for (const nonEvent of ['refuse', 'ignore'] as const) {
        const failed = await failure(server.url, { nonEvent });
        assert.equal(failed.status, 502);
        assert.equal(Buffer.from(failed.body!).toString(), body);
      }
      const { status, event } = await send(server.url, { nonEvent: 'discard' });
      assert.deepEqual([status, event], [200, undefined]);
    });
  }

  test('and any other answer may come after interim ones, which count for nothing', async () => {
    const interim = 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\nretry-after: 9\r\n\r\n';
    await using server = await answering(interim + interim + response('422 No'));
    const failed = await failure(server.url);
    assert.equal(failed.status, 422);
    assert.equal(failed.retryAfterMs, undefined);
  });

  test('that is longer than what is read is a failure without a status, and the connection is cut', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startRawServer((socket) => {
      socket.on('close', () => closed.resolve());
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      writeForEver(socket, Buffer.from(`1000\r\n${'x'.repeat(0x1000)}\r\n`));
    });
    const failed = await failure(server.url, { maxAnswerBytes: 100_000 });
    assert.equal(failed.status, undefined);
    assert.match(failed.message, /longer than 100000 bytes/);
    await closed.promise;
  });

  test('that announces a gigabyte is cut without the memory for it', async () => {
    const chunk = Buffer.alloc(MIB);
    let written = 0;
    await using server = await startRawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${1024 * MIB}\r\n\r\n`);
      socket.on('close', () => (written = socket.bytesWritten));
      writeForEver(socket, chunk);
    });
    const before = process.memoryUsage().arrayBuffers;
    assert.match((await failure(server.url)).message, /longer than/);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 64 * MIB, `${Math.round(grown / MIB)} MiB more`);
    assert.ok(written < 64 * MIB, `${Math.round(written / MIB)} MiB were sent`);
  });
});

describe('any other answer', () => {
  test('is a failure with its status and the beginning of its body', async () => {
    await using server = await answering(response('422 No', 'why not'));
    const failed = await failure(server.url);
    assert.equal(failed.status, 422);
    assert.equal(Buffer.from(failed.body!).toString(), 'why not');
    assert.equal(failed.retryAfterMs, undefined);
  });

  test('is not followed where it redirects', async () => {
    await using elsewhere = await answering(OK);
    for (const status of [300, 301, 302, 303, 307, 308]) {
      await using server = await answering(response(`${status} There`, '', `location: ${elsewhere.url}`));
      assert.equal((await failure(server.url)).status, status);
    }
    assert.equal(elsewhere.requests, 0);
  });

  test('that has no end is cut, and is what its status says', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startRawServer((socket) => {
      socket.on('close', () => closed.resolve());
      socket.write('HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n');
      writeForEver(socket, Buffer.from(`1000\r\n${'x'.repeat(0x1000)}\r\n`));
    });
    const failed = await failure(server.url);
    assert.equal(failed.status, 500);
    assert.equal(failed.body!.byteLength, 1_024);
    await closed.promise;
  });

  test('tells how long it asks to wait', async () => {
    await using server = await answering(response('503 No', '', 'Retry-After: 7'));
    assert.equal((await failure(server.url)).retryAfterMs, 7_000);
  });
});

describe('without an answer it is a failure without a status', () => {
  test('when the connection is refused', async () => {
    const server = await answering(OK);
    await server[Symbol.asyncDispose]();
    const failed = await failure(server.url);
    assert.equal(failed.status, undefined);
    assert.match(failed.message, /refused/);
    assert.ok(failed.message.includes(new URL(server.url).port), failed.message);
  });

  for (const [when, end] of [
    ['ends before the answer', (socket: Socket) => void socket.end()],
    ['is reset before the answer', (socket: Socket) => void socket.resetAndDestroy()],
    ['ends within the headers', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nx-y:')],
    ['ends within the body', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')],
    [
      'is reset within the body',
      (socket: Socket) => {
        socket.write('HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\nx', () => socket.resetAndDestroy());
      },
    ],
    ['brings what is no HTTP', (socket: Socket) => void socket.end('SSH-2.0-OpenSSH\r\n')],
  ] as const) {
    test(`when the connection ${when}`, async () => {
      await using server = await startRawServer(end);
      const failed = await failure(server.url);
      assert.equal(failed.status, undefined);
      assert.notEqual(failed.message, '');
    });
  }

  test('when its headers are longer than anybody needs', async () => {
    await using server = await answering(response('200 OK', '', `x-long: ${'x'.repeat(200_000)}`));
    const failed = await failure(server.url);
    assert.equal(failed.status, undefined);
    assert.match(failed.message, /header/i);
  });

  test('when it has too many headers', async () => {
    const headers = Array.from({ length: 20_000 }, (_, index) => `x-${index}: y`);
    await using server = await answering(response('200 OK', '', ...headers));
    assert.equal((await failure(server.url)).status, undefined);
  });
});

describe('when it is aborted', () => {
  const reason = new HandlerFailure('no answer within 5 ms');

  test('before the answer, it fails at once with the reason, and the connection is cut', async () => {
    const closed = Promise.withResolvers<void>();
    const controller = new AbortController();
    await using server = await startRawServer((socket) => {
      socket.on('close', () => closed.resolve());
      controller.abort(reason);
    });
    const failed = await failure(server.url, { context: { signal: controller.signal } });
    assert.equal(failed.message, reason.message);
    assert.equal(failed.status, undefined);
    await closed.promise;
  });

  test('within the body, it fails with the reason', async () => {
    const controller = new AbortController();
    await using server = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx', () => controller.abort(reason));
    });
    assert.equal((await failure(server.url, { context: { signal: controller.signal } })).message, reason.message);
  });

  test('before it begins, nothing is sent', async () => {
    await using server = await answering(OK);
    const failed = await failure(server.url, { context: { signal: AbortSignal.abort(reason) } });
    assert.equal(failed.message, reason.message);
    assert.equal(server.requests, 0);
  });

  test('while it connects, it fails at once with the reason', async () => {
    // Nobody speaks TLS here, so the connecting has no end of its own.
    const controller = new AbortController();
    const server = createServer(() => controller.abort(reason));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const failed = await failure(`https://127.0.0.1:${port}/`, { context: { signal: controller.signal } });
      assert.equal(failed.message, reason.message);
    } finally {
      server.close();
    }
  });

  test('through onAbort, that is asked and the signal is left alone', async () => {
    let abort: ((reason: Error) => void) | undefined;
    await using server = await startRawServer(() => abort!(reason));
    const context = {
      get signal(): AbortSignal {
        throw new Error('nobody needs it');
      },
      onAbort: (call: (reason: Error) => void) => void (abort = call),
      headers: NO_HEADERS,
      attempt: 1,
    };
    const dispatcher = new Agent();
    const handler = urlHandler(server.url, { dispatcher, nonEvent: 'refuse', maxAnswerBytes: MIB, now: () => 0 });
    await assert.rejects(handler(EVENT, context), { name: 'HandlerFailure', message: reason.message });
    await dispatcher.destroy();
  });
});

describe('Retry-After', () => {
  const NOW = Date.UTC(2031, 0, 1);
  for (const [value, expected] of [
    ['7', 7_000],
    [' 0 ', 0],
    [new Date(NOW + 90_000).toUTCString(), 90_000],
    [new Date(NOW - 90_000).toUTCString(), 0],
    ['soon', undefined],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
  ] as const) {
    test(`of ${JSON.stringify(value)} is ${expected} ms`, () => {
      assert.equal(retryAfter(['x-y', 'z', 'Retry-After', value], NOW) || undefined, expected || undefined);
    });
  }

  test('that is not there is undefined', () => {
    assert.equal(retryAfter(['x-y', '7'], NOW), undefined);
  });
});
