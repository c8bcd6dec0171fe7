import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, beforeEach, describe, test } from 'node:test';

import { aContext, anEvent, failureOf, jsonOf, textOf, until } from '../../test-support.ts';
import type { Workload } from '../../workload.ts';
import { openWorkbench } from '../workbench.fixture.ts';
import type { Piece } from '../workbench.fixture.ts';

const bench = openWorkbench();
after(() => bench.close());
beforeEach(() => {
  bench.lines.length = 0;
});

function program(speaks: 'http' | 'stdio', command: string[], changes: Partial<Workload> = {}): Piece {
  return bench.begin({ language: 'program', command, folder: bench.folder, speaks }, changes);
}
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a program that listens on its port', () => {
  test('is called there once it listens, runs in its folder and sees what is declared', async () => {
    bench.write(
      'server.mjs',
      `import { createServer } from 'node:http';
       setTimeout(() => createServer((request, response) => response.end(
         JSON.stringify([request.url, process.cwd(), process.env.MODEL, process.env.HOME === process.env.TMPDIR]),
       )).listen(process.env.PORT, '127.0.0.1'), 50);`,
    );
    const piece = program('http', [process.execPath, 'server.mjs'], { environment: { MODEL: 'small' } });
    await piece.ready;
    const { text } = await piece.tell({ method: 'GET', path: '/a?b=c' });
    assert.deepEqual(JSON.parse(text), ['/a?b=c', bench.folder, 'small', true]);
    await piece.stop();
    assert.match(await piece.ended, /SIGTERM/);
  });

  test('is not ready, with the reason, when it ends before', async () => {
    await assert.rejects(program('http', ['sh', '-c', 'echo no licence >&2; exit 3']).ready, /code 3.*no licence/);
    await assert.rejects(program('http', ['no-such-program']).ready, /cannot run no-such-program: .* on the PATH/);
    const code = { language: 'program', command: ['true'], folder: '/no/such/folder', speaks: 'http' } as const;
    await assert.rejects(bench.begin(code).ready, /cannot run it in \/no\/such\/folder: there is no such folder/);
  });
});

describe('a program that is begun for every call', () => {
  test('gets the data on stdin and the attributes as variables; what it prints is the reply', async () => {
    const piece = program('stdio', ['sh', '-c', 'echo "$CE_TYPE $CE_SUBJECT $CE_TENANT $MODEL"; cat'], {
      environment: { MODEL: 'small' },
    });
    await piece.ready;
    const { event } = await piece.handler(anEvent({ subject: 'größe', tenant: 'acme' }, '[1]'), aContext());
    assert.equal(textOf(event), 'com.example.asked größe acme small\n[1]');
    assert.equal(event?.datacontenttype, 'text/plain; charset=utf-8');
  });

  test('gets a plain request as OpenFaaS gives it, and an event in structured mode', async () => {
    const piece = program('stdio', [
      'sh',
      '-c',
      'echo "$Http_Method $Http_Path $Http_Query $Http_X_Call_Id $CE_ID"; cat',
    ]);
    await piece.ready;
    const headers = { 'x-call-id': 'c-1' };
    const plain = await piece.tell({ method: 'PUT', path: '/a/b?c=d', headers, body: Buffer.from('x') });
    assert.equal(plain.text, 'PUT /a/b c=d c-1 \nx');
    const structured = await piece.tell({
      headers: { 'content-type': 'application/cloudevents+json' },
      body: Buffer.from(JSON.stringify({ specversion: '1.0', id: 'e-9', source: '/s', type: 't', data: { a: 1 } })),
    });
    assert.equal(structured.text, 'POST /   e-9\n{"a":1}');
  });

  test('replies with JSON, bytes, nothing, or what it declares', async () => {
    const replyOf = async (script: string, environment = {}): Promise<[number, string | undefined, string]> => {
      const piece = program('stdio', ['sh', '-c', script], { environment });
      await piece.ready;
      const { status, type, text } = await piece.tell();
      await piece.kill();
      return [status, type, text];
    };
    assert.deepEqual(await replyOf(`echo '{"a":1}'`), [200, 'application/json', '{"a":1}\n']);
    assert.deepEqual((await replyOf(String.raw`printf '\377\001'`))[1], 'application/octet-stream');
    assert.deepEqual(await replyOf('true'), [204, undefined, '']);
    const reply = { specversion: '1.0', id: 'r', source: '/r', type: 'com.example.done', data: 1 };
    const environment = { MILLRACE_CONTENT_TYPE: 'application/cloudevents+json' };
    const piece = program('stdio', ['echo', JSON.stringify(reply)], { environment });
    await piece.ready;
    const { event } = await piece.handler(anEvent(), aContext());
    assert.deepEqual([event?.type, jsonOf(event)], ['com.example.done', 1]);
  });

  test('fails with its last lines when it exits with anything but 0; the next call is not affected', async () => {
    const piece = program('stdio', ['sh', '-c', 'read x; [ "$x" = good ] && exit; echo oh no >&2; exit 4']);
    await piece.ready;
    const failure = await failureOf(piece.handler(anEvent({}, 'bad\n'), aContext()));
    assert.equal(failure.status, 500);
    assert.match(failure.message, /sh exited with code 4 \| oh no/);
    assert.equal((await piece.handler(anEvent({}, 'good\n'), aContext())).status, 204);
    assert.deepEqual(
      bench.lines.filter(({ text }) => text === 'oh no').map(({ eventId, stream }) => [eventId, stream]),
      [['e-1', 'stderr']],
    );
  });

  test('need not read what it is given', async () => {
    const piece = program('stdio', ['echo', 'hi']);
    await piece.ready;
    const body = Readable.from(
      (function* () {
        for (let chunks = 0; chunks < 64; chunks += 1) yield Buffer.alloc(64 * 1024);
      })(),
    );
    assert.equal((await piece.tell({ body })).text, 'hi\n');
  });

  test('is streamed once its output is large, and breaks off when it fails then', async () => {
    const piece = program('stdio', ['sh', '-c', 'read x; head -c 5000000 /dev/zero; exit $x']);
    await piece.ready;
    assert.equal((await piece.tell({ body: Buffer.from('0\n') })).text.length, 5_000_000);
    await assert.rejects(piece.tell({ body: Buffer.from('1\n') }));
  });

  test('streams at once to who asks for an event stream', async () => {
    const piece = program('stdio', ['sh', '-c', 'echo "data: 1"; echo; cat; echo "data: 2"']);
    await piece.ready;
    const body = new Readable({ read() {} });
    body.push('more');
    const answer = await piece.ask({ headers: { accept: 'text/event-stream' }, body });
    const chunks = answer.body[Symbol.asyncIterator]();
    assert.match(String((await chunks.next()).value), /data: 1/);
    body.push(null);
    let rest = '';
    for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) rest += String(chunk.value);
    assert.match(rest, /data: 2/);
  });

  test('ends, with what it has started, when the caller leaves and when the instance is killed', async () => {
    const piece = program('stdio', ['sh', '-c', 'sleep 1000 & echo "$! $$" >&2; wait']);
    await piece.ready;
    const leaving = new AbortController();
    const pids = (): number[] => bench.lines.flatMap(({ text }) => text.split(' ').map(Number));
    const given = failureOf(piece.handler(anEvent(), aContext(leaving.signal)));
    await until(() => pids().length === 2);
    leaving.abort();
    await given;
    await until(() => !pids().some(isAlive));
    const killed = failureOf(piece.handler(anEvent(), aContext()));
    await until(() => pids().length === 4);
    await piece.kill();
    await killed;
    await until(() => !pids().some(isAlive));
  });

  test('is not ready when there is no such program', async () => {
    await assert.rejects(program('stdio', ['no-such-program']).ready, /cannot run no-such-program: .* on the PATH/);
    await assert.rejects(program('stdio', ['./none.sh']).ready, /cannot run \.\/none\.sh: it was not found in /);
  });
});
