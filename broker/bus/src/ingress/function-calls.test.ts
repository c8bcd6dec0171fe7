import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';

import { post } from '../../../../test/support/events.ts';
import { broker } from '../../../../test/support/manifests.ts';
import { refusal, refused } from '../../../../test/support/problem.ts';
import { exchange } from '../../../../test/support/raw.ts';
import { serve, service } from './functions.fixture.ts';
import type { Echo } from './functions.fixture.ts';

const HELLO = service('hello', { tags: ['blue'] });
const echoed = async (answer: Promise<Response>) => (await (await answer).json()) as Echo;

/** A request with any Host. */
async function ask(url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  const [answer] = (await once(httpRequest(url, options).end(), 'response')) as [IncomingMessage];
  return answer;
}

async function asked(url: string, host: string): Promise<Echo | number> {
  const answer = await ask(url, { headers: { host } });
  const body = await text(answer);
  return answer.statusCode === 200 ? (JSON.parse(body) as Echo) : answer.statusCode!;
}

describe('a function is called', () => {
  test('by path with any method; it sees the rest of the path, the query, the body and who asks', async () => {
    await using on = await serve(HELLO);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'POST']) {
      const seen = await echoed(
        fetch(`${on.url}/functions/default/hello/a%20b/c?x=1&y`, {
          method,
          body: 'body',
          headers: { 'x-mine': '1', 'accept-encoding': 'gzip' },
        }),
      );
      assert.deepEqual([seen.method, seen.path, seen.body], [method, '/a%20b/c?x=1&y', 'body']);
      const { headers } = seen;
      assert.deepEqual([headers['x-mine'], headers['x-workload'], headers['x-tag']], ['1', 'default/hello', '']);
      assert.deepEqual([headers['x-forwarded-proto'], headers['x-forwarded-for']], ['http', '127.0.0.1']);
      assert.equal(headers['x-forwarded-host'], new URL(on.url).host);
      assert.match(headers['x-call-id']!, /^[\da-f-]{36}$/);
    }
    assert.equal((await echoed(fetch(`${on.url}/functions/default/hello?q`))).path, '/?q');
  });

  test('with its headers, status and body coming back as they are, but those of one connection', async () => {
    await using on = await serve(HELLO);
    on.program.answer((request, response) => {
      request.resume();
      const headers = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Keep-Alive', 'timeout=9', 'millrace-start', 'cold'];
      response.writeHead(418, [...headers, 'Connection', 'x-hop', 'x-hop', '1']).end('tea');
    });
    const answer = await fetch(`${on.url}/functions/default/hello`, { headers: { 'x-call-id': 'mine' } });
    assert.equal(answer.status, 418);
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.deepEqual([answer.headers.get('x-hop'), answer.headers.get('millrace-start')], [null, 'cold']);
    assert.equal(answer.headers.get('x-call-id'), 'mine');
    assert.equal(await answer.text(), 'tea');
  });

  test("by OpenFaaS's spelling, with and without a namespace", async () => {
    await using on = await serve(HELLO + service('hello', { namespace: 'shop' }));
    for (const [path, workload] of [
      ['hello', 'default/hello'],
      ['hello.openfaas-fn', 'default/hello'],
      ['hello.shop/rest', 'shop/hello'],
    ]) {
      assert.equal((await echoed(fetch(`${on.url}/function/${path}`))).headers['x-workload'], workload);
    }
    await refused(fetch(`${on.url}/function/hello.nowhere`), 404);
    await on.at.apply(HELLO + service('other', { namespace: 'openfaas-fn' }));
    await refused(fetch(`${on.url}/function/hello.openfaas-fn`), 404);
  });

  test('by the names that a cluster has for it, whatever the path; other names change nothing', async () => {
    await using on = await serve(HELLO + service('green-hello') + broker());
    for (const host of [
      'hello.default.svc.cluster.local',
      'HELLO.default.svc:8080',
      'hello.default',
      'hello.default.',
    ]) {
      const seen = (await asked(`${on.url}/default/default?z`, host)) as Echo;
      assert.deepEqual(
        [seen.path, seen.headers['x-workload'], seen.headers['x-tag']],
        ['/default/default?z', 'default/hello', ''],
      );
    }
    const tagged = (await asked(on.url, 'blue-hello.default.svc.cluster.local')) as Echo;
    assert.deepEqual([tagged.headers['x-workload'], tagged.headers['x-tag']], ['default/hello', 'blue']);
    assert.equal(((await asked(on.url, 'green-hello.default')) as Echo).headers['x-workload'], 'default/green-hello');
    assert.equal(await asked(on.url, 'red-hello.default.svc.cluster.local'), 405);
    assert.equal(((await asked(`${on.url}/function/hello`, 'gateway.openfaas:8080')) as Echo).path, '/');
    // The host of brokers is for brokers.
    assert.equal(await asked(`${on.url}/function/hello`, 'broker-ingress.knative-eventing.svc.cluster.local'), 405);
  });

  test('only where no broker has the path', async () => {
    await using on = await serve(HELLO);
    await on.at.apply(HELLO + broker(undefined, { name: 'hello', namespace: 'function' }));
    assert.equal((await post(`${on.url}/function/hello`, {})).status, 202);
    assert.equal(on.at.entries().length, 1);
  });

  test('with HEAD, and with a body in chunks', async () => {
    await using on = await serve(HELLO);
    const head = await fetch(`${on.url}/functions/default/hello`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-type')], [200, 'application/json']);
    const chunked =
      'POST /function/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n';
    const { status, body } = await exchange(on.url, `${chunked}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
    assert.equal(status, 200);
    assert.match(body, /"body":"abcde"/);
  });

  test('a hundred times at once', async () => {
    await using on = await serve(HELLO);
    const bodies = Array.from({ length: 100 }, (_, index) => `${index}`.repeat(1_000));
    const seen = await Promise.all(
      bodies.map((body) => echoed(fetch(`${on.url}/function/hello`, { method: 'POST', body }))),
    );
    assert.deepEqual(
      seen.map((it) => it.body),
      bodies,
    );
  });
});

describe('what is streamed', () => {
  test('arrives chunk by chunk, the head before all of them', async () => {
    await using on = await serve(HELLO);
    const go = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    on.program.answer(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      await go[0]!.promise;
      response.write('data: 1\n\n');
      await go[1]!.promise;
      response.end('data: 2\n\n');
    });
    const answer = await fetch(`${on.url}/functions/default/hello`);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    const chunks = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    go[0]!.resolve();
    assert.equal((await chunks.read()).value, 'data: 1\n\n');
    go[1]!.resolve();
    assert.equal((await chunks.read()).value, 'data: 2\n\n');
    assert.equal((await chunks.read()).done, true);
  });

  test('is answered while it is still being sent', async () => {
    await using on = await serve(HELLO);
    on.program.answer((request, response) => request.pipe(response));
    const outgoing = httpRequest(`${on.url}/function/hello`, { method: 'POST' });
    outgoing.write('ping');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(String((await once(answer, 'data'))[0]), 'ping');
    outgoing.end('pong');
    assert.equal(await text(answer), 'pong');
  });

  test('waits for a slow reader: the function is held, and nothing gathers on the way', async () => {
    await using on = await serve(HELLO);
    const chunk = Buffer.alloc(64 * 1024);
    const limit = 64 * 1024 * 1024;
    let written = 0;
    const held = Promise.withResolvers<void>();
    on.program.answer((_request, response) => {
      const write = () => {
        while (written < limit) {
          written += chunk.byteLength;
          if (!response.write(chunk)) {
            response.once('drain', write);
            // Nothing has been read yet: when it is not drained any more, all that lies between is full.
            return void (written > 1_000_000 && held.resolve());
          }
        }
        response.end();
      };
      write();
    });
    const answer = await ask(`${on.url}/function/hello`);
    await held.promise;
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(written < limit / 2, `${written} bytes were taken from the function though nobody read`);
    let read = 0;
    for await (const part of answer) read += (part as Buffer).byteLength;
    assert.equal(read, limit);
  });

  test('waits for a slow function: the caller is held', async () => {
    await using on = await serve(HELLO);
    const go = Promise.withResolvers<void>();
    on.program.answer(async (request, response) => {
      await go.promise;
      response.end(String((await buffer(request)).byteLength));
    });
    const outgoing = httpRequest(`${on.url}/function/hello`, { method: 'POST' });
    const limit = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    const send = async () => {
      for (; sent < limit; sent += chunk.byteLength) if (!outgoing.write(chunk)) await once(outgoing, 'drain');
      outgoing.end();
    };
    const sending = send();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(sent < limit / 2, `${sent} bytes were taken though the function read nothing`);
    go.resolve();
    await sending;
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(await text(answer), String(limit));
  });

  test('ends for the function when the caller goes, before and after the head', async () => {
    await using on = await serve(HELLO);
    for (const withHead of [false, true]) {
      const reached = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      on.program.answer((request, response) => {
        response.on('close', left.resolve);
        if (withHead) response.writeHead(200).write('x');
        request.resume();
        reached.resolve();
      });
      const outgoing = httpRequest(`${on.url}/function/hello`).on('error', () => {});
      outgoing.end();
      await reached.promise;
      if (withHead) await once(outgoing, 'response');
      outgoing.destroy();
      await left.promise;
    }
  });

  test('breaks off for the caller when the function breaks off', async () => {
    await using on = await serve(HELLO);
    on.program.answer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => response.destroy());
    });
    const answer = await ask(`${on.url}/function/hello`);
    await assert.rejects(text(answer), /aborted/);
  });

  test('may take longer to be sent than an event may', { timeout: 40_000 }, async () => {
    await using on = await serve(HELLO);
    const socket = connect(Number(new URL(on.url).port), '127.0.0.1');
    socket.write('POST /function/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nab');
    // Nothing else tells that the limit of the server (10 s, looked at every second) is over.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    socket.write('cd');
    assert.match(await text(socket), /HTTP\/1\.1 200[^]*"body":"abcd"/);
  });
});

describe('a call that gets no answer', () => {
  test('is told why, each failure with its status', async () => {
    await using on = await serve(HELLO);
    for (const [failure, status, retryAfter] of [
      [new HandlerFailure('has 10000 calls waiting', { status: 503, retryAfterMs: 1_500 }), 503, '2'],
      [new HandlerFailure('cannot start: no main', { retryAfterMs: 500 }), 503, '1'],
      [new HandlerFailure('timed out after 300 ms'), 504, null],
      [new HandlerFailure('hello crashed while it had the event'), 502, null],
    ] as const) {
      on.program.fail(() => failure);
      const answer = await fetch(`${on.url}/function/hello`, { method: 'POST', body: 'x'.repeat(300_000) });
      assert.equal(answer.headers.get('retry-after'), retryAfter);
      assert.notEqual(answer.headers.get('x-call-id'), null);
      assert.equal((await refused(answer, status)).detail, failure.message);
    }
  });

  test('is told so whatever its path looks like', async () => {
    await using on = await serve(HELLO);
    on.program.fail(() => new HandlerFailure('broken'));
    for (const path of ['//', '/%', '/?//', '/a//b%zz']) {
      const answer = await exchange(on.url, `GET ${path} HTTP/1.1\r\nhost: hello.default\r\nconnection: close\r\n\r\n`);
      refusal(answer, answer.body, 502);
    }
  });

  test('for nobody is a 404, for what cannot run a 503 with the reason', async () => {
    const broken = service('broken').replace(
      '"image":"broken"',
      '"image":"broken","env":[{"name":"K","valueFrom":{"secretKeyRef":{"name":"none","key":"k"}}}]',
    );
    await using on = await serve(HELLO + broken);
    assert.match((await refused(fetch(`${on.url}/functions/default/nobody`), 404)).detail, /no Service/);
    assert.match((await refused(fetch(`${on.url}/functions/default/broken`), 503)).detail, /Secret default\/none/);
  });

  test('while the bus drains is a 503; one under way is finished', async () => {
    await using on = await serve(HELLO);
    const go = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    on.program.answer(async (_request, response) => {
      reached.resolve();
      await go.promise;
      response.end('done');
    });
    const underWay = fetch(`${on.url}/function/hello`);
    await reached.promise;
    const drained = on.at.bus.drain();
    await refused(fetch(`${on.url}/function/hello`), 503);
    go.resolve();
    assert.equal(await (await underWay).text(), 'done');
    await drained;
  });
});
