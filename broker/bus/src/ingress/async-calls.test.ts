import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';

import { startClock } from '../../../../test/support/clock.ts';
import { refused } from '../../../../test/support/problem.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';
import type { CallView } from '../calls/view.ts';
import { entryOf } from '../admin/views.ts';
import { serve, service } from './functions.fixture.ts';
import type { Echo, Served } from './functions.fixture.ts';

const HELLO = service('hello');
const PREFER = { prefer: 'respond-async' };

/** Makes an asynchronous call, and gives its id. */
async function call(on: Served, init: RequestInit = {}, path = '/functions/default/hello'): Promise<string> {
  const answer = await fetch(on.url + path, {
    method: 'POST',
    ...init,
    headers: { ...PREFER, ...(init.headers as Record<string, string> | undefined) },
  });
  assert.equal(answer.status, 202, await answer.clone().text());
  return answer.headers.get('x-call-id')!;
}

const view = async (on: Served, id: string, query = '') =>
  (await (await fetch(`${on.url}/calls/${id}${query}`)).json()) as CallView;
const result = (on: Served, id: string, query = '?wait=20s') => fetch(`${on.url}/calls/${id}/result${query}`);
const cancel = (on: Served, id: string) => fetch(`${on.url}/calls/${id}`, { method: 'DELETE' });

/** Looks until the call is so. */
async function until(on: Served, id: string, status: CallView['status']): Promise<CallView> {
  for (;;) {
    const seen = await view(on, id);
    if (seen.status === status) return seen;
  }
}

/** A program that holds its calls until it is told to answer, and knows when they are given up. */
function holding(on: Served) {
  const reached = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let calls = 0;
  on.program.answer(async (request, response) => {
    calls += 1;
    request.resume();
    response.on('close', left.resolve);
    reached.resolve();
    await go.promise;
    response.end('late');
  });
  return { reached: reached.promise, left: left.promise, go: go.resolve, calls: () => calls };
}

describe('an asynchronous call', () => {
  test('is accepted once it is durable, made as it came, and its answer kept', async () => {
    await using on = await serve(HELLO);
    const answer = await fetch(`${on.url}/functions/default/hello/sub?x=1`, {
      method: 'POST',
      headers: { ...PREFER, 'x-call-id': 'mine', 'content-type': 'text/plain', authorization: 'Bearer secret' },
      body: 'body',
    });
    assert.equal(answer.status, 202);
    const { headers } = answer;
    assert.deepEqual(
      [headers.get('x-call-id'), headers.get('location'), headers.get('preference-applied')],
      ['mine', '/calls/mine', 'respond-async'],
    );
    assert.deepEqual(await answer.json(), { id: 'mine', status: '/calls/mine' });
    const kept = await result(on, 'mine');
    assert.deepEqual([kept.status, kept.headers.get('content-type')], [200, 'application/json']);
    assert.equal(kept.headers.get('x-function-status'), '200');
    const seen = (await kept.json()) as Echo;
    assert.deepEqual([seen.method, seen.path, seen.body], ['POST', '/sub?x=1', 'body']);
    assert.equal(seen.headers['content-type'], 'text/plain');
    assert.equal(seen.headers['authorization'], 'Bearer secret');
    assert.deepEqual([seen.headers['x-call-id'], seen.headers['prefer']], ['mine', undefined]);
    const { status, attempts, function: name, finished } = await view(on, 'mine');
    assert.deepEqual([status, name, attempts.length, attempts[0]!.status], ['succeeded', 'default/hello', 1, 200]);
    assert.notEqual(finished, undefined);
    const [accepted] = on.at.entries();
    assert.equal(JSON.stringify(entryOf(accepted!)).includes('secret'), false);
  });

  test("by OpenFaaS's path is answered without a body", async () => {
    await using on = await serve(HELLO);
    const answer = await fetch(`${on.url}/async-function/hello.openfaas-fn/x`, { method: 'POST', body: 'b' });
    assert.deepEqual([answer.status, await answer.text()], [202, '']);
    const kept = await result(on, answer.headers.get('x-call-id')!);
    assert.equal(((await kept.json()) as Echo).path, '/x');
  });

  test('that is a CloudEvent reaches the function as that event', async () => {
    await using on = await serve(HELLO);
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'e', 'ce-source': '/s', 'ce-type': 't' };
    const seen = (await (await result(on, await call(on, { headers, body: 'x' }))).json()) as Echo;
    assert.deepEqual([seen.headers['ce-id'], seen.headers['ce-type']], ['e', 't']);
  });

  test('is refused when it could not be made', async () => {
    await using on = await serve(HELLO, { maxEventBytes: 1_000 });
    const send = (
      init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> },
      path = '/functions/default/hello',
    ) => fetch(on.url + path, { method: 'POST', ...init, headers: { ...PREFER, ...init.headers } });
    await refused(send({ method: 'PUT', body: 'x' }), 405);
    await refused(fetch(`${on.url}/async-function/hello`), 405);
    await refused(send({}, '/async-function/nobody'), 404);
    await refused(send({ body: 'x'.repeat(1_001) }), 413);
    const slow = new ReadableStream({ type: 'bytes', pull: (to) => to.enqueue(new Uint8Array(900)) });
    await refused(send({ body: slow, duplex: 'half' }), 413);
    await refused(send({ headers: { 'x-call-id': 'a b' } }), 400);
    for (const url of ['ftp://x/', 'nonsense', '/relative', 'javascript:1']) {
      assert.match((await refused(send({ headers: { 'x-callback-url': url } }), 400)).detail, /http or https/);
    }
    await refused(fetch(`${on.url}/calls/none`), 404);
    await refused(fetch(`${on.url}/calls/none/result`), 404);
    const id = await call(on);
    await refused(fetch(`${on.url}/calls/${id}?wait=long`), 400);
    await refused(fetch(`${on.url}/calls/${id}`, { method: 'PUT' }), 405);
  });

  test('survives a restart before it is made, and its answer one after', { timeout: 30_000 }, async () => {
    await using on = await serve(HELLO);
    const held = holding(on);
    const id = await call(on, { body: 'x' });
    await held.reached;
    // As after a crash: what was under way is not written.
    await on.at.bus.close();
    on.at = await on.at.restart();
    on.program.answer((_request, response) => response.writeHead(201, { 'content-type': 'text/plain' }).end('again'));
    assert.equal((await view(on, id)).status, 'queued');
    await on.at.apply(HELLO);
    assert.deepEqual([(await result(on, id)).status, await (await result(on, id)).text()], [201, 'again']);
    on.at = await on.at.restart();
    await on.at.apply(HELLO);
    assert.equal((await view(on, id)).status, 'succeeded');
    assert.deepEqual([(await result(on, id)).status, await (await result(on, id)).text()], [201, 'again']);
  });

  test('is tried again as a delivery is, and a dead letter when it failed for good', async () => {
    const clock = startClock();
    await using on = await serve(HELLO, { environment: clock });
    on.program.answer((_request, response) => response.writeHead(500).end('broken'));
    const id = await call(on);
    await clock.expecting(clock.now() + 200);
    const waiting = await view(on, id);
    assert.deepEqual([waiting.status, waiting.next!.attempt, waiting.attempts[0]!.status], ['retrying', 2, 500]);
    assert.equal((await result(on, id, '')).status, 202);
    on.program.answer((_request, response) => response.writeHead(422).end('no'));
    clock.advance(200);
    const kept = await result(on, id);
    assert.deepEqual([kept.status, await kept.text()], [422, 'no']);
    const [letter] = await on.at.deadLetters(1);
    assert.deepEqual([letter!.route, letter!.attempts], ['call/default/hello', 2]);
    const failed = await view(on, id);
    assert.deepEqual([failed.status, failed.attempts.length], ['failed', 2]);
    on.program.answer((_request, response) => response.end('mended'));
    await on.at.bus.redrive([letter!]);
    await on.at.settled();
    assert.equal((await view(on, id)).status, 'succeeded');
    assert.equal(await (await result(on, id)).text(), 'mended');
  });
});

describe('cancelling a call', () => {
  test('that runs aborts it', async () => {
    await using on = await serve(HELLO);
    const held = holding(on);
    const id = await call(on);
    await held.reached;
    assert.equal((await view(on, id)).status, 'running');
    const answer = await cancel(on, id);
    assert.deepEqual([answer.status, ((await answer.json()) as CallView).status], [200, 'cancelled']);
    await held.left;
    await on.at.settled();
    assert.equal(held.calls(), 1);
    assert.equal((await result(on, id)).status, 499);
    await refused(cancel(on, id), 409);
  });

  test('whose function is gone is refused, and can be done when it is back', async () => {
    await using on = await serve(HELLO);
    on.program.fail(() => new HandlerFailure('not yet', { status: 503, retryAfterMs: 3_600_000 }));
    const id = await call(on);
    await until(on, id, 'retrying');
    await on.at.apply('');
    assert.match((await refused(cancel(on, id), 409)).detail, /default\/hello is not declared/);
    await on.at.apply(HELLO);
    assert.equal((await cancel(on, id)).status, 200);
  });

  test('that waits for another attempt ends it, also after a restart', async () => {
    const clock = startClock();
    await using on = await serve(HELLO, { environment: clock });
    on.program.answer((_request, response) => response.writeHead(500).end());
    const id = await call(on);
    await clock.expecting(clock.now() + 200);
    await until(on, id, 'retrying');
    assert.equal((await cancel(on, id)).status, 200);
    const held = holding(on);
    clock.advance(10_000);
    on.at = await on.at.restart();
    await on.at.apply(HELLO);
    clock.advance(10_000);
    await on.at.settled();
    assert.equal(held.calls(), 0);
    assert.equal((await view(on, id)).status, 'cancelled');
    assert.deepEqual(await on.at.deadLetters(0), []);
  });

  test('that was not begun never begins it, also after a restart', async () => {
    await using on = await serve(HELLO);
    const held = holding(on);
    // More than the route makes at once: some wait in memory, some in the log.
    const ids: string[] = [];
    for (let index = 0; index < 320; index += 1) ids.push(await call(on));
    await held.reached;
    const off = [ids.at(-1)!, ids[150]!];
    for (const id of off) {
      assert.equal((await view(on, id)).status, 'queued');
      const [one, two] = await Promise.all([cancel(on, id), cancel(on, id)]);
      assert.deepEqual([one.status, two.status], [200, 200]);
      assert.equal((await view(on, id)).status, 'cancelled');
    }
    held.go();
    await on.at.settled();
    assert.equal(held.calls(), ids.length - off.length);
    on.at = await on.at.restart();
    await on.at.apply(HELLO);
    await on.at.settled();
    assert.equal(held.calls(), ids.length - off.length);
    for (const id of off) assert.equal((await view(on, id)).status, 'cancelled');
    assert.equal((await view(on, ids[149]!)).status, 'succeeded');
  });
});

describe('whoever asked to be called back', () => {
  test('is told what came of it, with the credentials of the address, which nobody else sees', async () => {
    await using on = await serve(HELLO);
    await using receiver = await startSubscriber();
    const callback = `${receiver.url.replace('http://', 'http://me:pass%21@')}hook?token=hidden`;
    const id = await call(on, { headers: { 'x-callback-url': callback }, body: 'x' });
    const [got] = await receiver.count(1);
    const { headers } = got!;
    assert.equal(got!.path, '/hook?token=hidden');
    assert.equal(headers['authorization'], `Basic ${Buffer.from('me:pass!').toString('base64')}`);
    assert.deepEqual(
      [headers['x-call-id'], headers['x-function-status'], headers['x-function-name']],
      [id, '200', 'hello'],
    );
    assert.match(String(headers['x-duration-seconds']), /^\d+\.\d{6}$/);
    const seen = JSON.parse(got!.body.toString()) as Echo;
    assert.deepEqual([seen.body, seen.headers['x-callback-url']], ['x', undefined]);
    await on.at.settled();
    const shown = JSON.stringify([on.at.entries().map(entryOf), await view(on, id)]);
    for (const hidden of ['pass', 'hidden', 'hook']) assert.equal(shown.includes(hidden), false, hidden);
  });

  test('is told of a failure and of a cancellation, too', async () => {
    await using on = await serve(HELLO);
    await using receiver = await startSubscriber();
    const headers = { 'x-callback-url': receiver.url };
    on.program.answer((_request, response) => response.writeHead(400, { 'content-type': 'text/plain' }).end('bad'));
    await call(on, { headers });
    await receiver.count(1);
    on.program.fail(() => new HandlerFailure('refused for good', { status: 403 }));
    await call(on, { headers });
    await receiver.count(2);
    const held = holding(on);
    const id = await call(on, { headers });
    await held.reached;
    await cancel(on, id);
    const got = await receiver.count(3);
    assert.deepEqual(
      got.map((it) => it.headers['x-function-status']),
      ['400', '403', '499'],
    );
    assert.equal(got[0]!.body.toString(), 'bad');
    assert.match(got[1]!.body.toString(), /refused for good/);
  });

  test('is told after a restart when it could not be before; it rests as a dead letter when it never can', async () => {
    const clock = startClock();
    await using on = await serve(HELLO, { environment: clock });
    await using receiver = await startSubscriber(() => ({ status: 503 }));
    const id = await call(on, { headers: { 'x-callback-url': receiver.url } });
    await receiver.count(1);
    await clock.expecting(clock.now() + 200);
    on.at = await on.at.restart();
    receiver.answer(() => ({ status: 204 }));
    await on.at.apply(HELLO);
    clock.advance(10_000);
    assert.equal((await receiver.count(2))[1]!.headers['x-call-id'], id);
    receiver.answer(() => ({ status: 403 }));
    await call(on, { headers: { 'x-callback-url': receiver.url } });
    const [letter] = await on.at.deadLetters(1);
    assert.deepEqual([letter!.route, letter!.failure.status], ['callback/default/hello', 403]);
  });

  test('may be another function of the cluster', async () => {
    await using on = await serve(HELLO + service('told'));
    const told = Promise.withResolvers<string>();
    on.program.answer((request, response) => {
      request.resume();
      if (request.headers['x-workload'] === 'default/told') told.resolve(request.url!);
      response.end();
    });
    await call(on, { headers: { 'x-callback-url': 'http://told.default.svc.cluster.local/in' } });
    assert.equal(await told.promise, '/in');
  });
});

test('everybody who waits for the end of a call is told of it', { timeout: 60_000 }, async () => {
  await using on = await serve(HELLO);
  const held = holding(on);
  const id = await call(on);
  await held.reached;
  const waiting = Array.from({ length: 100 }, () => view(on, id, '?wait=30s'));
  assert.equal((await view(on, id, '?wait=1ms')).status, 'running');
  held.go();
  assert.deepEqual(new Set((await Promise.all(waiting)).map((it) => it.status)), new Set(['succeeded']));
});
