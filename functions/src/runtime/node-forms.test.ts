import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, beforeEach, describe, test } from 'node:test';

import { aContext, anEvent, failureOf, jsonOf, textOf, until } from '../test-support.ts';
import { openWorkbench } from './workbench.fixture.ts';
import type { Piece } from './workbench.fixture.ts';

const bench = openWorkbench();
after(() => bench.close());
beforeEach(() => {
  bench.lines.length = 0;
});
const JSON_TYPE = { 'content-type': 'application/json' };
const hasPrinted = (line: string) => (): boolean => bench.lines.some(({ text }) => text === line);

describe('a form of a Node function is found by what it exports', () => {
  for (const [form, answer, code] of [
    ['a default function', 'ours e-1', `export default (event) => 'ours ' + event.id`],
    ['module.exports', 'ours e-1', `module.exports = function (event, context) { return 'ours ' + event.id }`],
    ['a compiled default', 'ours e-1', `exports.__esModule = true; exports.default = (event) => 'ours ' + event.id`],
    ['handle', 'func e-1', `export const handle = async (context, event) => 'func ' + event.id`],
    ['module.exports.handle', 'func e-1', `module.exports = { handle: (context, event) => 'func ' + event.id }`],
    ['a default with a context first', 'func e-1', `export default (context, event) => 'func ' + event.id`],
    ['fetch', 'web e-1', `export const fetch = (request) => new Response('web ' + request.headers.get('ce-id'))`],
    [
      'a default with a request only',
      'web e-1',
      `export default async (req) => new Response('web ' + req.headers.get('ce-id'))`,
    ],
    [
      'a default object with fetch',
      'web e-1',
      `export default { word: 'web ', fetch(request) { return new Response(this.word + request.headers.get('ce-id')) } }`,
    ],
  ] as const) {
    test(form, async () => {
      const isCommon = code.includes('exports.') || code.includes('module.exports');
      const piece = await bench.node(code, isCommon ? { name: `${form}.cjs` } : {});
      assert.equal(textOf((await piece.handler(anEvent(), aContext())).event), answer);
      await piece.kill();
    });
  }
});

describe('a handler of events', () => {
  const SEEN = `({ ...event, dataBytes: undefined, time: undefined })`;

  test('gets a plain request as an event, and what was asked', async () => {
    const piece = await bench.node(
      `export default (event, { request, traceparent }) =>
         [${SEEN}, request.method, request.path, request.headers['x-a'], traceparent]`,
    );
    const headers = { ...JSON_TYPE, 'x-call-id': 'c-1', 'x-a': 'b', traceparent: '00-1-2-01' };
    const put = await piece.tell({ method: 'PUT', path: '/deep/er?q=1', headers, body: Buffer.from('{"a":1}') });
    const event = { specversion: '1.0', id: 'c-1', type: 'dev.millrace.function.request', data: { a: 1 } };
    assert.deepEqual(JSON.parse(put.text), [
      { ...event, source: '/functions/default/under-test/deep/er', datacontenttype: 'application/json' },
      'PUT',
      '/deep/er?q=1',
      'b',
      '00-1-2-01',
    ]);
    const [bare] = JSON.parse((await piece.tell({ method: 'GET', path: '/' })).text) as [Record<string, unknown>];
    assert.match(String(bare['id']), /^[-0-9a-f]{36}$/);
    assert.deepEqual([bare['source'], 'data' in bare], ['/functions/default/under-test', false]);
  });

  test('gets an event in structured mode', async () => {
    const piece = await bench.node(
      `export default (event) => [event.id, event.hue, event.data, String(event.dataBytes)]`,
    );
    const structured = (event: object): Promise<{ status: number; text: string }> =>
      piece.tell({
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
        body: Buffer.from(JSON.stringify({ specversion: '1.0', id: 'e', source: '/s', type: 't', ...event })),
      });
    assert.equal((await structured({ hue: 'red', data: { a: 1 } })).text, '["e","red",{"a":1},"{\\"a\\":1}"]');
    const words = { datacontenttype: 'text/plain' };
    assert.equal((await structured({ ...words, data: 'hi' })).text, '["e",null,"hi","hi"]');
    assert.equal((await structured({ ...words, data_base64: 'aGk=' })).text, '["e",null,"hi","hi"]');
    for (const [body, type, status] of [
      ['[', 'application/cloudevents+json', 400],
      ['null', 'application/cloudevents+json', 400],
      ['[]', 'application/cloudevents-batch+json', 415],
    ] as const) {
      assert.equal((await piece.tell({ headers: { 'content-type': type }, body: Buffer.from(body) })).status, status);
    }
  });

  test('may answer with a stream: each piece leaves when it is made', async () => {
    const piece = await bench.node(`
      import { once } from 'node:events';
      export default async function* (event, { request, signal }) {
        yield 'one ';
        await new Promise((resolve) => { globalThis.go = resolve; if (request.path === '/go') resolve() });
        yield Buffer.from('two');
      }`);
    const answer = await piece.ask();
    const chunks = answer.body[Symbol.asyncIterator]();
    assert.equal(String((await chunks.next()).value), 'one ');
    await chunks.return?.();
    assert.equal((await piece.tell({ path: '/go' })).text, 'one two');
  });

  test('breaks the answer off when the stream fails, and says why in its lines', async () => {
    const piece = await bench.node(`export default async function* () { yield 'one'; throw new Error('lost it') }`);
    await assert.rejects(piece.tell());
    await until(() => bench.lines.some(({ text }) => text.includes('lost it')));
  });

  test('may answer with a Response', async () => {
    const piece = await bench.node(
      `export default () => new Response('{}', { status: 201, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['content-type', 'x/y']] })`,
    );
    const answer = await piece.ask();
    assert.equal(await text(answer.body), '{}');
    assert.equal(answer.status, 201);
    assert.equal(answer.rawHeaders.filter((value) => /^[ab]=/.test(value)).length, 2);
  });
});

describe(`a function of func's`, () => {
  test('gets a request with its query, headers and parsed body', async () => {
    const piece = await bench.node(
      `export const handle = ({ query, method, headers, body, httpVersion, cloudevent }, second) =>
         [{ query, method, hue: headers.hue, body, httpVersion, cloudevent, same: body === second }]`,
    );
    const asked = { path: '/?a=1', headers: { ...JSON_TYPE, hue: 'red' }, body: Buffer.from('[1]') };
    const { text, type } = await piece.tell(asked);
    assert.equal(type, 'application/json');
    assert.deepEqual((JSON.parse(text) as unknown[])[0], {
      query: { a: '1' },
      method: 'POST',
      hue: 'red',
      body: [1],
      httpVersion: '1.1',
      same: true,
    });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const filled = await piece.tell({ headers: form, body: Buffer.from('a=1&b=x+y') });
    assert.deepEqual((JSON.parse(filled.text) as [{ body: unknown }])[0].body, { a: '1', b: 'x y' });
  });

  test('gets an event, and answers with one', async () => {
    const piece = await bench.node(
      `export const handle = (context, event) => {
         context.log.info('got ' + event.type);
         if (event !== context.cloudevent) throw new Error('two events');
         return context.cloudEventResponse({ seen: event.data }).type('com.example.done').source('/me').subject('s').id('r').response();
       }`,
    );
    const { event } = await piece.handler(anEvent({}, '[1]'), aContext());
    assert.deepEqual([event?.type, event?.source, event?.subject, event?.id], ['com.example.done', '/me', 's', 'r']);
    assert.deepEqual(jsonOf(event), { seen: [1] });
    await until(() => bench.lines.some((line) => line.text === 'got com.example.asked' && line.eventId === 'e-1'));
  });

  for (const [what, returned, status, type, body] of [
    [
      'a status, headers and a body',
      `{ statusCode: 201, headers: { 'Content-Type': 'x/y' }, body: 'z' }`,
      201,
      'x/y',
      'z',
    ],
    ['data, also with a type', `{ type: 'cat' }`, 200, 'application/json', '{"type":"cat"}'],
    ['a body of data', `{ body: { a: 1 } }`, 200, 'application/json', '{"a":1}'],
    ['a string', `'hi'`, 200, 'text/plain; charset=utf-8', 'hi'],
    ['nothing', `''`, 204, undefined, ''],
  ] as const) {
    test(`may return ${what}`, async () => {
      const piece = await bench.node(`export const handle = () => (${returned})`);
      const answer = await piece.tell();
      assert.deepEqual([answer.status, answer.type, answer.text], [status, type, body]);
      await piece.kill();
    });
  }

  test('fails with the status that its error has as code', async () => {
    const piece = await bench.node(
      `export const handle = () => { throw Object.assign(new Error('gone'), { code: 410 }) }`,
    );
    assert.equal((await failureOf(piece.handler(anEvent(), aContext()))).status, 410);
  });

  test('is ready after its init, is asked for its health, and shuts down', async () => {
    const piece = await bench.node(
      `let word = 'not yet';
       const readiness = () => word;
       export default {
         async init() { await new Promise(setImmediate); word = 'ready'; },
         shutdown() { console.log('shut down'); },
         readiness: Object.assign(readiness, { path: '/ready' }),
         handle: () => word,
       }`,
    );
    assert.equal((await piece.tell({ method: 'GET', path: '/ready' })).text, 'ready');
    assert.equal((await piece.tell({ method: 'GET', path: '/health/liveness' })).text, 'OK');
    assert.match(await piece.stop().then(() => piece.ended), /exited with code 0/);
    assert.ok(hasPrinted('shut down')());
  });
});

describe('a handler of requests', () => {
  const open = (code: string): Promise<Piece> => bench.node(`export default { fetch: ${code} }`);

  test('gets method, address, headers and body, the environment and the context', async () => {
    const piece = await bench.node(
      `export default { fetch: async (request, env, { deadline }) => Response.json(
         [request.method, request.url, request.headers.get('x-a'), await request.text(), env.MODEL, typeof deadline]) }`,
      { environment: { MODEL: 'small' } },
    );
    const headers = { host: 'shop.example', 'x-a': 'b' };
    const asked = { method: 'PATCH', path: '/a?b=c', headers, body: Buffer.from('hi') };
    const { text, type } = await piece.tell(asked);
    assert.deepEqual(JSON.parse(text), ['PATCH', 'http://shop.example/a?b=c', 'b', 'hi', 'small', 'number']);
    assert.equal(type, 'application/json');
    const bare = await piece.tell({ method: 'GET', path: '/' });
    assert.equal((JSON.parse(bare.text) as string[])[3], '');
  });

  test('may pass its request on as its answer, while it comes', async () => {
    const piece = await open(
      `(request) => new Response(request.body, { headers: { 'content-type': 'text/event-stream' } })`,
    );
    const body = new Readable({ read() {} });
    body.push('data: 1\n\n');
    const answer = await piece.ask({ body });
    const chunks = answer.body[Symbol.asyncIterator]();
    assert.equal(String((await chunks.next()).value), 'data: 1\n\n');
    body.push('data: 2\n\n');
    assert.equal(String((await chunks.next()).value), 'data: 2\n\n');
    body.push(null);
    assert.equal((await chunks.next()).done, true);
  });

  test('hears through the signal of its request that the caller has left', async () => {
    const piece = await open(
      `(request) => new Promise(() => { console.log('begun'); request.signal.onabort = () => console.log('left') })`,
    );
    const leaving = new AbortController();
    const call = failureOf(piece.ask({ signal: leaving.signal }));
    await until(hasPrinted('begun'));
    leaving.abort();
    await call;
    await until(hasPrinted('left'));
  });

  test('fails when it answers with anything but a Response', async () => {
    const piece = await open(`() => 'hi'`);
    const { status, text } = await piece.tell();
    assert.equal(status, 500);
    assert.match(text, /expected a Response, got \[object String\]/);
  });
});
