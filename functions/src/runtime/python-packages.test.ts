import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { text } from 'node:stream/consumers';

import { providePythonPackages } from '../../../test/support/python-packages.ts';
import { startStandInModel } from '../stand-in/stand-in-model.ts';
import type { StandInModel } from '../stand-in/stand-in-model.ts';
import { aContext, anEvent, textOf } from '../test-support.ts';
import { openWorkbench } from './workbench.fixture.ts';
import type { Piece } from './workbench.fixture.ts';

const provided = await providePythonPackages();
const skip = 'skip' in provided ? provided.skip : false;
const packages = 'component' in provided ? provided.component : '';

const ASK = (content: string): string => `
    client = anthropic.Anthropic()
    response = client.messages.create(
        model="claude-sonnet-5-5", max_tokens=64, messages=[{"role": "user", "content": ${content}}]
    )
    return response.content[0].text
`;

/** As people write them for the three platforms. */
const OUR_OWN = {
  'handler.py': `import anthropic\n\ndef handle(req):${ASK('req')}`,
  'agent.py': `from flask import request\nimport anthropic\n\ndef main():\n    body = request.get_data(as_text=True)${ASK('body')}`,
  'main.py': `def handler(context, event):\n    import anthropic${ASK('event.body')}`,
};

/** Those of a document that `MILLRACE_PYTHON_HANDLERS` names: its Python blocks that begin with the name of a file. */
function handlersIn(document: string): Record<string, string> {
  const blocks = readFileSync(document, 'utf8').matchAll(/^```python\n(# (\w+\.py)\n[^]*?)^```$/gm);
  return Object.fromEntries(Array.from(blocks, ([, code, name]) => [name!, code!]));
}

const document = process.env['MILLRACE_PYTHON_HANDLERS'];
const handlers = document === undefined ? OUR_OWN : handlersIn(document);

describe('with the packages of PyPI, a Python function', { skip }, () => {
  let bench: ReturnType<typeof openWorkbench>;
  let model: StandInModel;
  before(async () => {
    bench = openWorkbench();
    model = await startStandInModel();
  });
  after(async () => {
    await bench.close();
    await model.close();
  });
  async function python(name: string, code: string, changes: Record<string, string> = {}): Promise<Piece> {
    const environment = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'none', ...changes };
    const piece = bench.begin({ language: 'python', file: bench.write(name, code), packages }, { environment });
    await piece.ready;
    return piece;
  }

  for (const [name, code] of Object.entries(handlers)) {
    for (const [how, changes] of [
      ['forked', {}],
      ['on its own', { MILLRACE_PRELOAD: 'off' }],
    ] as const) {
      test(`asks a model with the text of an event: ${name}, ${how}`, async () => {
        const { handler } = await python(name, code, changes);
        const { event } = await handler(anEvent({ datacontenttype: 'text/plain' }, 'Why?'), aContext());
        assert.equal(textOf(event).trimEnd(), '[stand-in model] You said: Why?');
      });
    }
  }

  test('is forked although it imports anthropic and flask, which look at their surroundings', async () => {
    const piece = await python(
      'forked.py',
      'import os, anthropic, flask\ndef handle(req):\n    return str(os.getppid())',
    );
    assert.notEqual((await piece.tell()).text, `${process.pid}\n`);
  });

  for (const [form, code] of [
    [
      'a generator',
      `
import anthropic
def handle(req):
    with anthropic.Anthropic().messages.stream(
        model="m", max_tokens=64, messages=[{"role": "user", "content": req}]
    ) as stream:
        yield from stream.text_stream`,
    ],
    [
      'an asynchronous generator',
      `
import anthropic
client = anthropic.AsyncAnthropic()
async def pieces(content):
    async with client.messages.stream(
        model="m", max_tokens=64, messages=[{"role": "user", "content": content}]
    ) as stream:
        async for piece in stream.text_stream:
            yield piece
async def handler(context, event):
    return pieces(event.body)`,
    ],
    [
      "flask's Response",
      `
import anthropic
from flask import Response, request, stream_with_context
def main():
    def pieces():
        body = request.get_data(as_text=True)
        with anthropic.Anthropic().messages.stream(
            model="m", max_tokens=64, messages=[{"role": "user", "content": body}]
        ) as stream:
            yield from stream.text_stream
    return Response(stream_with_context(pieces()), mimetype="text/plain")`,
    ],
  ] as const) {
    test(`streams what the model says, by ${form}, twice`, async () => {
      const piece = await python('streams.py', code);
      for (const question of ['Why?', 'How?']) {
        const { rawHeaders, body } = await piece.ask({ body: Buffer.from(question) });
        assert.ok(rawHeaders.includes('chunked'));
        assert.equal(await text(body), `[stand-in model] You said: ${question}`);
      }
    });
  }

  test('is all that flask makes of a request and of what is returned', async () => {
    const piece = await python(
      'flasks.py',
      `
from flask import abort, jsonify, request
def main():
    if request.path == "/missing":
        abort(404)
    if request.path == "/nothing":
        return None
    if request.path == "/raises":
        raise ValueError("no")
    answer = jsonify(method=request.method, path=request.path, x=request.args.getlist("x"), form=request.form.get("f"))
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer, 201`,
    );
    const body = Buffer.from('f=g%20h');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const {
      status,
      rawHeaders,
      body: answered,
    } = await piece.ask({ method: 'PATCH', path: '/ü%20?x=1&x=2', headers, body });
    assert.deepEqual(JSON.parse(await text(answered)), { method: 'PATCH', path: '/ü ', x: ['1', '2'], form: 'g h' });
    assert.deepEqual([status, rawHeaders.filter((name) => name.toLowerCase() === 'set-cookie').length], [201, 2]);
    const statusOf = async (path: string): Promise<number> => (await piece.tell({ method: 'GET', path })).status;
    assert.deepEqual(
      [await statusOf('/missing'), await statusOf('/nothing'), await statusOf('/raises')],
      [404, 204, 500],
    );
  });

  test("is given flask's own request in the form of func, and replies with an event", async () => {
    const piece = await python(
      'func.py',
      `
from flask import Request
def main(context):
    assert isinstance(context.request._get_current_object(), Request)
    context.cloud_event.attributes["type"] = context.request.headers["ce-type"] + ".done"
    return context.cloud_event`,
    );
    const { event } = await piece.handler(anEvent({ subject: 'ü' }), aContext());
    assert.deepEqual(
      [event?.type, event?.subject, textOf(event)],
      ['com.example.asked.done', 'ü', '{"question": "why"}'],
    );
  });
});
