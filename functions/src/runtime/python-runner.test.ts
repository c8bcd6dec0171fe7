import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { Answer, Handler } from '@millrace/event/handler';

import { startStandInModel } from '../stand-in/stand-in-model.ts';
import { aContext, anEvent, failureOf, handlerOf, jsonOf, textOf } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';
import { processRuntime } from './process/process.ts';
import type { Instance } from './runtime.ts';

describe('a Python function', () => {
  let folder: string;
  const runtime = processRuntime();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-python-'));
  });
  after(async () => {
    await runtime.close();
    await rm(folder, { recursive: true });
  });

  let files = 0;
  async function start(
    code: string,
    environment: Record<string, string> = {},
  ): Promise<Instance & { handler: Handler }> {
    const file = join(folder, `code_${(files += 1)}.py`);
    await writeFile(file, code);
    const workload = {
      ...WORKLOAD_DEFAULTS,
      name: 'default/py',
      code: { language: 'python', file },
      environment,
    } as const;
    const instance = runtime.start(workload, () => {});
    await instance.ready;
    return Object.assign(instance, { handler: handlerOf(instance, workload) });
  }
  async function call(
    code: string,
    data: Uint8Array | string = 'some text',
    mediaType = 'text/plain',
  ): Promise<Answer> {
    const running = await start(code);
    return running.handler(anEvent({ datacontenttype: mediaType, tenant: 'größe' }, data), aContext());
  }
  const replyOf = async (...asked: Parameters<typeof call>): Promise<string> => textOf((await call(...asked)).event);

  describe('in the classic form of OpenFaaS', () => {
    test('gets the data as str, and what it returns is printed', async () => {
      assert.equal(await replyOf('def handle(req):\n  return type(req).__name__ + req'), 'strsome text\n');
    });

    test('replies nothing when it returns None', async () => {
      assert.equal((await call('def handle(req):\n  print(req)')).event, undefined);
    });
  });

  test('in the newer form of OpenFaaS gets an event and replies with a status and a body', async () => {
    const code = 'def handle(event, context):\n  return {"statusCode": %, "body": event.body.decode()}';
    assert.equal(await replyOf(code.replace('%', '200')), 'some text');
    const failure = await failureOf(call(code.replace('%', '503')));
    assert.deepEqual([failure.status, Buffer.from(failure.body!).toString()], [503, 'some text']);
  });

  describe('in the form of Fission', () => {
    const ECHO = `
from flask import request
def main():
  assert request.method == "POST"
  return request.get_data(as_text=True) + request.headers["ce-id"] + str(request.get_json(silent=True))
`;
    const noFlask = async (): Promise<Record<string, string>> => {
      const site = join(folder, 'no-flask');
      await mkdir(site, { recursive: true });
      const hide = 'import sys\nsys.path = [p for p in sys.path if "-packages" not in p]\n';
      await writeFile(join(site, 'sitecustomize.py'), hide);
      return { PYTHONPATH: site };
    };

    test('reads the request of flask, or of its stand-in where flask is not installed', async () => {
      for (const environment of [{}, await noFlask()]) {
        const running = await start(ECHO, environment);
        const { event } = await running.handler(anEvent({}, '{"a": 1}'), aContext());
        assert.equal(textOf(event), `{"a": 1}e-1{'a': 1}`);
        assert.equal(event?.datacontenttype, 'text/html; charset=utf-8');
      }
    });

    test('may return a body with a status, as flask has it', async () => {
      for (const environment of [{}, await noFlask()]) {
        const running = await start('import flask\ndef main():\n  return "busy", 503', environment);
        const failure = await failureOf(running.handler(anEvent(), aContext()));
        assert.deepEqual([failure.status, Buffer.from(failure.body!).toString()], [503, 'busy']);
      }
    });
  });

  describe('in the form of Nuclio', () => {
    test('gets a text that is a str and can be decoded', async () => {
      const code =
        'import json\ndef handler(context, event):\n  return json.dumps(event.body) + event.body.decode("utf-8")';
      assert.equal(await replyOf(code), '"some text"some text');
    });

    test('gets JSON parsed, and the attributes of the event', async () => {
      const code = `
def handler(context, event):
  context.logger.info("seen %s", event.id)
  return [event.body["a"], event.id, event.type, event.content_type, event.timestamp.year > 2000, event.trigger.kind, event.get_header("ce-tenant")]`;
      const reply = await replyOf(code, '{"a": 1}', 'application/json');
      assert.deepEqual(JSON.parse(reply), [
        1,
        'e-1',
        'com.example.asked',
        'application/json',
        true,
        'http',
        'gr%C3%B6%C3%9Fe',
      ]);
    });

    test('gets bytes that are no text as bytes', async () => {
      const code = 'def handler(context, event):\n  return type(event.body).__name__';
      assert.equal(await replyOf(code, Buffer.from([255, 254]), 'image/png'), 'bytes');
    });

    test('may return a status and a body, or a Response', async () => {
      assert.equal(await replyOf('def handler(context, event):\n  return 201, {"ok": True}'), '{"ok": true}');
      const failing = 'def handler(context, event):\n  return context.Response(body="no", status_code=422)';
      const failure = await failureOf(call(failing));
      assert.deepEqual([failure.status, Buffer.from(failure.body!).toString()], [422, 'no']);
    });
  });

  describe('in the form of func', () => {
    test('gets the event with its attributes and data', async () => {
      const code =
        'async def main(event):\n  return [event.attributes["tenant"], event.type, event["id"], event.subject, event.data]';
      assert.deepEqual(JSON.parse(await replyOf(code)), ['größe', 'com.example.asked', 'e-1', null, 'some text']);
    });

    test('may reply with an event, of a dict or of an object with attributes', async () => {
      const dict =
        'def main(event):\n  return {"type": "t", "subject": "ü %", "flag": True, "n": 1, "data": {"a": "é"}}';
      const { event } = await call(dict);
      assert.deepEqual([event?.type, event?.subject, event?.source], ['t', 'ü %', '/functions/default/py']);
      assert.deepEqual({ ...event?.extensions }, { flag: 'true', n: '1' });
      assert.deepEqual(jsonOf(event), { a: 'é' });
      const { event: same } = await call('def main(event):\n  event.attributes["type"] = "x"\n  return event');
      assert.deepEqual(
        [same?.type, same?.id, textOf(same), same?.datacontenttype],
        ['x', 'e-1', 'some text', 'text/plain'],
      );
    });
  });

  test('fails with status 500 and the reason when it raises', async () => {
    const failure = await failureOf(call('def main(event):\n  return 1 / 0'));
    assert.equal(failure.status, 500);
    const said = JSON.parse(Buffer.from(failure.body!).toString()) as unknown;
    assert.deepEqual(said, { error: 'ZeroDivisionError', message: 'division by zero' });
  });

  test('says what is wrong when it cannot be loaded', async () => {
    await assert.rejects(start('import no_such_module'), /ModuleNotFoundError: No module named 'no_such_module'/);
    await assert.rejects(start('def run(): pass'), /found these functions: run; expected one of/);
    await assert.rejects(start('def handler(a, b, c): pass'), /handler takes 3 arguments/);
  });

  test('takes several calls at once', async () => {
    const running = await start(`
import threading
both = threading.Barrier(2)
def handle(req):
  both.wait(10)
  return "met"`);
    const calls = [1, 2].map(() => running.handler(anEvent(), aContext()));
    assert.deepEqual(
      (await Promise.all(calls)).map((answer) => textOf(answer.event)),
      ['met\n', 'met\n'],
    );
  });

  test('finds its neighbours, and leaves nothing beside them', async () => {
    await writeFile(join(folder, 'neighbour.py'), 'WORD = "found"\n');
    assert.equal(await replyOf('import neighbour\ndef main(event):\n  return neighbour.WORD'), 'found');
    assert.ok(!(await readdir(folder)).includes('__pycache__'));
  });

  // The handlers that people have: the Anthropic client is replaced by a few lines that make the same request.
  test('asks a model with the text of the event, in each of the three forms', async () => {
    const client = join(folder, 'client');
    await mkdir(client);
    await writeFile(join(client, 'anthropic.py'), ANTHROPIC);
    const model = await startStandInModel();
    const environment = { PYTHONPATH: client, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'none' };
    const ask = (body: string): string => `
    client = anthropic.Anthropic()
    response = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": ${body}}])
    return response.content[0].text
`;
    const forms = [
      `import anthropic\ndef handle(req):${ask('req')}`,
      `from flask import request\nimport anthropic\ndef main():\n    body = request.get_data(as_text=True)${ask('body')}`,
      `def handler(context, event):\n    import anthropic${ask('event.body')}`,
    ];
    for (const code of forms) {
      const running = await start(code, environment);
      const { event } = await running.handler(anEvent({ datacontenttype: 'text/plain' }, 'Why?'), aContext());
      assert.equal(textOf(event).trimEnd(), '[stand-in model] You said: Why?');
    }
    await model.close();
  });
});

const ANTHROPIC = `
import json, os, types, urllib.request

class Anthropic:
    def __init__(self):
        self.messages = self

    def create(self, **request):
        call = urllib.request.Request(
            os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages",
            json.dumps(request).encode(),
            {"x-api-key": os.environ["ANTHROPIC_API_KEY"]},
        )
        with urllib.request.urlopen(call) as response:
            return json.load(response, object_hook=lambda fields: types.SimpleNamespace(**fields))
`;
