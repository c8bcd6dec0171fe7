import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';

import { until } from '../test-support.ts';
import { openWorkbench } from './workbench.fixture.ts';
import type { Ask, Piece } from './workbench.fixture.ts';

const bench = openWorkbench();
after(() => bench.close());

let files = 0;
async function python(code: string): Promise<Piece> {
  const file = bench.write(`code_${(files += 1)}.py`, code);
  const piece = bench.begin({ language: 'python', file });
  await piece.ready;
  return piece;
}

const CE = { 'ce-specversion': '1.0', 'ce-id': 'e-1', 'ce-source': '/test', 'ce-type': 'asked' };
const AS_EVENT: Ask = { headers: { ...CE, 'content-type': 'text/plain' }, body: Buffer.from('hi') };
/** Hides a flask that is installed on this machine. */
const NO_FLASK =
  'import sys\nsys.path = [p for p in sys.path if "-packages" not in p]\nsys.modules.pop("flask", None)\n';

describe('a Python function called by anybody', () => {
  const ask: Ask = { method: 'PUT', path: '/a%20b?x=1&x=2&y=', headers: { 'X-Word': 'w' }, body: Buffer.from('body') };

  for (const [form, code] of [
    [
      'OpenFaaS, newer',
      `
def handle(event, context):
    return [event.method, event.path, event.query.getlist("x"), event.query["y"], event.headers["x-word"],
            event.body.decode()]`,
    ],
    [
      'Fission without flask',
      `${NO_FLASK}
from flask import request
def main():
    return [request.method, request.path, request.args.getlist("x"), request.args["y"], request.headers["x-word"],
            request.get_data(as_text=True)]`,
    ],
    [
      'Nuclio',
      `
def handler(context, event):
    return [event.method, event.path, ["1", "2"], event.fields["y"], event.get_header("x-word"), event.body.decode()]`,
    ],
    [
      'func',
      `
def main(context):
    request = context.request
    return [request.method, request.path, request.args.getlist("x"), request.args["y"], request.headers["x-word"],
            request.data.decode()]`,
    ],
    [
      "func's newer form",
      `
import json, urllib.parse
async def handle(scope, receive, send):
    query = urllib.parse.parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    headers, message = dict(scope["headers"]), await receive()
    seen = [scope["method"], scope["path"], query["x"], query["y"][0], headers[b"x-word"].decode(), message["body"].decode()]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})`,
    ],
  ] as const) {
    test(`sees method, path, query, headers and body in the form of ${form}`, async () => {
      const piece = await python(code);
      const { status, type, text: said } = await piece.tell(ask);
      assert.deepEqual(
        [status, type, JSON.parse(said)],
        [200, 'application/json', ['PUT', '/a b', ['1', '2'], '', 'w', 'body']],
      );
    });
  }

  test('gets an event of its own when it takes events, with the id of the call', async () => {
    const piece = await python(`
def main(event):
    return [event.type, event.source, event.id, event.data]`);
    const asked = { path: '/part?x=1', headers: { 'x-call-id': 'c-1', 'content-type': 'application/json' } };
    const { text: said } = await piece.tell({ ...asked, body: Buffer.from('{"a": 1}') });
    const source = '/functions/default/under-test';
    assert.deepEqual(JSON.parse(said), ['dev.millrace.function.request', `${source}/part`, 'c-1', { a: 1 }]);
    const { text: without } = await piece.tell({ method: 'GET' });
    assert.match(
      without,
      /^\["dev.millrace.function.request", "\/functions\/default\/under-test", "[0-9a-f-]{36}", null]$/,
    );
  });

  test('answers HEAD without a body, and may set its own status and headers', async () => {
    const piece = await python(`
def handle(event, context):
    return {"statusCode": 201, "body": {"ok": True}, "headers": {"x-made": "yes", "content-length": "1"}}`);
    const { status, text: said, header } = await piece.tell({ method: 'HEAD' });
    assert.deepEqual([status, said, header('x-made'), header('content-length')], [201, '', 'yes', '12']);
  });

  test('reads a body of unknown length', async () => {
    const piece = await python('def handle(req):\n    return req');
    const body = Readable.from([Buffer.from('one '), Buffer.from('two')]);
    assert.equal((await piece.tell({ body })).text, 'one two\n');
  });

  test('answers a hundred connections at once', async () => {
    const piece = await python(`
import threading
all = threading.Barrier(100)
def handle(req):
    all.wait()
    return "met"`);
    const answers = await Promise.all(Array.from({ length: 100 }, () => piece.tell()));
    assert.ok(answers.every((answer) => answer.text === 'met\n'));
  });
});

describe('a Python function of events', () => {
  test('takes one in structured mode, with data as JSON or base64', async () => {
    const piece = await python(`
def main(event):
    return [event.type, event["subject"], str(event.data), event.data_bytes.decode()]`);
    const tell = async (part: object): Promise<unknown> => {
      const event = { specversion: '1.0', id: 'e-1', source: '/test', type: 'asked', subject: 's', ...part };
      const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
      return JSON.parse((await piece.tell({ headers, body: Buffer.from(JSON.stringify(event)) })).text);
    };
    assert.deepEqual(await tell({ data: [1] }), ['asked', 's', '[1]', '[1]']);
    const encoded = { datacontenttype: 'text/plain', data_base64: Buffer.from('hi').toString('base64') };
    assert.deepEqual(await tell(encoded), ['asked', 's', 'hi', 'hi']);
  });

  test('refuses what is no event, and several at once', async () => {
    const piece = await python('def main(event):\n    return "called"');
    const tell = async (mediaType: string): Promise<number> =>
      (await piece.tell({ headers: { 'content-type': mediaType }, body: Buffer.from('[]') })).status;
    assert.equal(await tell('application/cloudevents+json'), 400);
    assert.equal(await tell('application/cloudevents-batch+json'), 415);
  });

  test('in the form of func gets it with the request, and may reply with one or with a status', async () => {
    const piece = await python(`
def main(context):
    assert context["request"] is context.request and "cloud_event" in context.keys()
    event = context.cloud_event
    if context.request.headers["content-type"] == "text/plain":
        event.attributes["type"] = "answered"
        return event
    return "busy", 503`);
    const { header, text: said } = await piece.tell(AS_EVENT);
    assert.deepEqual([header('ce-type'), header('ce-id'), said], ['answered', 'e-1', 'hi']);
    const { status } = await piece.tell({ headers: { ...CE, 'content-type': 'text/html' }, body: Buffer.from('hi') });
    assert.equal(status, 503);
  });

  test("in func's newer form is begun, asked how it is, sends an event, and is stopped", async () => {
    const piece = await python(`
class Function:
    def start(self, configuration):
        self.word = configuration["HOME"][:1]
    def alive(self):
        return False, "tired"
    async def handle(self, scope, receive, send):
        await send({"type": "answered", "data": scope["event"].data + self.word})
    def stop(self):
        print("stopped")
def new():
    return Function()`);
    const { header, text: said } = await piece.tell(AS_EVENT);
    assert.deepEqual([header('ce-type'), said], ['answered', 'hi/']);
    const health = await piece.tell({ method: 'GET', path: '/health/liveness' });
    assert.deepEqual([health.status, health.text], [500, 'tired']);
    assert.equal((await piece.tell({ method: 'GET', path: '/health/readiness' })).status, 200);
    await piece.stop();
    assert.ok(bench.lines.some((line) => line.text === 'stopped' && line.instance === piece.id));
    assert.equal(await piece.ended, 'exited with code 0');
  });

  test('keeps one event loop from call to call', async () => {
    const piece = await python(`
import asyncio
loops = set()
async def main(event):
    loops.add(asyncio.get_running_loop())
    return len(loops)`);
    assert.deepEqual([(await piece.tell()).text, (await piece.tell()).text], ['1', '1']);
  });
});

describe('a Python function that streams', () => {
  const GATE = 'import threading\ngate = threading.Event()\n';

  for (const [form, code] of [
    [
      'a generator',
      `
def pieces():
    yield "one "
    gate.wait()
    yield b"two"
def handle(event, context):
    if event.path == "/open": gate.set()
    return {"body": pieces(), "headers": {"content-type": "text/event-stream"}}`,
    ],
    [
      'an asynchronous generator',
      `
import asyncio
async def pieces():
    yield "one "
    await asyncio.to_thread(gate.wait)
    yield "two"
async def handler(context, event):
    if event.path == "/open": gate.set()
    return context.Response(body=pieces(), content_type="text/event-stream")`,
    ],
    [
      'ASGI messages',
      `
import asyncio
async def handle(scope, receive, send):
    if scope["path"] == "/open": gate.set()
    await send({"type": "http.response.start", "status": 200, "headers": [[b"content-type", b"text/event-stream"]]})
    await send({"type": "http.response.body", "body": b"one ", "more_body": True})
    await asyncio.to_thread(gate.wait)
    await send({"type": "http.response.body", "body": b"two"})`,
    ],
    [
      'a Response of what stands in for flask',
      `${NO_FLASK}
from flask import Response, request
def main():
    def pieces():
        yield "one "
        gate.wait()
        yield "two"
    if request.path == "/open": gate.set()
    return Response(pieces(), mimetype="text/event-stream")`,
    ],
  ] as const) {
    test(`sends each piece of ${form} when it is there`, async () => {
      const piece = await python(GATE + code);
      const { status, body, rawHeaders } = await piece.ask();
      const rest = body[Symbol.asyncIterator]();
      assert.equal(String((await rest.next()).value), 'one ');
      assert.equal(status, 200);
      assert.ok(rawHeaders.includes('text/event-stream'));
      await piece.tell({ path: '/open' });
      assert.equal(String((await rest.next()).value), 'two');
      assert.equal((await rest.next()).done, true);
    });
  }

  test('is told by GeneratorExit when nobody listens any more', async () => {
    const piece = await python(`
def handle(req):
    try:
        while True:
            yield "piece"
    except GeneratorExit:
        print("closed")`);
    const { body } = await piece.ask();
    for await (const _ of body) break;
    await until(() => bench.lines.some((line) => line.text === 'closed' && line.instance === piece.id));
  });

  test('has failed when it raises before the first piece, and breaks off when it raises later', async () => {
    const piece = await python(`
def pieces(early):
    if early:
        raise ValueError("early")
    yield "one"
    raise ValueError("late")
def handle(event, context):
    return pieces(event.path == "/early")`);
    const early = await piece.tell({ path: '/early' });
    assert.deepEqual([early.status, JSON.parse(early.text)], [500, { error: 'ValueError', message: 'early' }]);
    const { body } = await piece.ask();
    await assert.rejects(text(body));
  });
});
