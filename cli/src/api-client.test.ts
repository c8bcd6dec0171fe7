import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';

import { apiClient, ApiRefusal, warningsOf } from './api-client.ts';
import { CommandFailure, EXIT } from './exit-codes.ts';

/** A client of a server that answers everything so; what it was warned of. */
async function clientOf(answer: (response: ServerResponse) => void) {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const warned: string[] = [];
  const { port } = server.address() as AddressInfo;
  return {
    client: apiClient(`http://127.0.0.1:${port}`, (text) => warned.push(text)),
    warned,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const refusal = (code: number) => (response: ServerResponse) =>
  void response.writeHead(code).end(JSON.stringify({ kind: 'Status', code, message: 'no\u001b[31m' }));

async function all<T>(events: Promise<AsyncIterable<T>>): Promise<T[]> {
  const seen: T[] = [];
  for await (const event of await events) seen.push(event);
  return seen;
}

describe('the client of the API', () => {
  test('has an exit code for each sort of refusal, and shows nothing that a terminal obeys', async () => {
    for (const [code, method, kind] of [
      [404, 'GET', 'notFound'],
      [409, 'PATCH', 'conflict'],
      [422, 'PATCH', 'invalid'],
      [400, 'GET', 'usage'],
      [403, 'DELETE', 'failure'],
    ] as const) {
      await using it = await clientOf(refusal(code));
      await assert.rejects(it.client.send({ method, path: '/api' }), (error: ApiRefusal) => {
        assert.ok(error instanceof ApiRefusal);
        assert.deepEqual([error.exitCode, error.message], [EXIT[kind], String.raw`no\u001b[31m`]);
        return true;
      });
    }
  });

  test('says so when what answers is no API', async () => {
    for (const body of ['<html>', '{"error":"there is no GET /api"}']) {
      await using it = await clientOf((response) => void response.writeHead(404).end(body));
      await assert.rejects(it.client.send({ path: '/api' }), /is no admin port of millrace/);
      await assert.rejects(it.client.watch({ path: '/api' }), /is no admin port of millrace/);
    }
  });

  test('a watch that breaks is a failure, and one that the server ends is none', async () => {
    await using ended = await clientOf((response) => void response.end('{"type":"ADDED","object":{}}\n'));
    assert.equal((await all(ended.client.watch({ path: '/api' }))).length, 1);
    await using broken = await clientOf((response) => {
      response.write('{"type":"ADDED","object":{}}\n', () => response.destroy());
    });
    await assert.rejects(
      all(broken.client.watch({ path: '/api' })),
      (error: CommandFailure) => error instanceof CommandFailure && error.exitCode === EXIT.unreachable,
    );
  });

  test('tells each warning once', async () => {
    await using it = await clientOf((response) => {
      response.setHeader('warning', ['299 - "a, \\"b\\""', '299 - "c"']);
      response.end('{}');
    });
    await it.client.send({ path: '/api' });
    await it.client.send({ path: '/api' });
    assert.deepEqual(it.warned, ['a, "b"', 'c']);
  });

  test('reads warnings as they are sent', () => {
    assert.deepEqual(warningsOf(undefined), []);
    assert.deepEqual(warningsOf('299 - "use v1", 199 x "not ours", 299 - "back\\\\slash"'), ['use v1', 'back\\slash']);
  });
});
