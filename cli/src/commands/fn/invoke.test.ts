import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { text } from 'node:stream/consumers';

import { commandLine, environmentOf } from '../../testing/millrace.ts';
import { sampleFunction, sampleRevision, startFakeFunctions } from './functions.fixture.ts';

const started = () => startFakeFunctions([sampleFunction({ revisions: [sampleRevision({ tags: ['next'] })] })]);

describe('millrace fn invoke', () => {
  test('sends JSON, text and bytes as what they are', async () => {
    await using fake = await started();
    await fake.run(['invoke', 'agent', '{"a":1}']);
    await fake.run(['invoke', 'agent', '-d', 'hello']);
    await fake.run(['invoke', 'agent'], new Uint8Array([0xff, 0xfe]));
    await fake.run(['invoke', 'agent', '@hello', '--content-type', 'text/x']);
    assert.deepEqual(
      fake.called.map((it) => [it.method, it.path, it.headers['content-type'], it.headers['content-length']]),
      [
        ['POST', '/functions/default/agent/', 'application/json', '7'],
        ['POST', '/functions/default/agent/', 'text/plain', '5'],
        ['POST', '/functions/default/agent/', 'application/octet-stream', '2'],
        ['POST', '/functions/default/agent/', 'text/x', '6'],
      ],
    );
    assert.equal(fake.called.at(-1)!.body, '@hello');
  });

  test('sends an event as soon as there is a type', async () => {
    await using fake = await started();
    const event = ['--type', 'asked', '--id', 'e-1', '--subject', 's', '--ext', 'customer=ada'];
    await fake.run(['invoke', 'agent', '{"a":1}', ...event]);
    const { headers, body } = fake.called[0]!;
    const names = ['ce-type', 'ce-id', 'ce-source', 'ce-subject', 'ce-customer', 'content-type'];
    assert.deepEqual(
      names.map((name) => headers[name]),
      ['asked', 'e-1', 'millrace-cli', 's', 'ada', 'application/json'],
    );
    assert.equal(body, '{"a":1}');
    const stray = await fake.run(['invoke', 'agent', '--subject', 's']);
    assert.deepEqual([stray.code, fake.called.length], [2, 1]);
  });

  test('passes method, path, query and headers on', async () => {
    await using fake = await started();
    const headers = ['-H', 'X-One: 1', '-H', 'x-one:  2 '];
    await fake.run(['invoke', 'agent', '--method', 'get', '--path', 'a b?c=d', ...headers], 'not read');
    const { method, path, headers: sent, body } = fake.called[0]!;
    assert.deepEqual([method, path, sent['x-one'], body], ['GET', '/functions/default/agent/a%20b?c=d', '1, 2', '']);
    for (const wrong of [
      ['-H', 'nonsense'],
      ['-H', 'x: \u0001'],
      ['--method', 'a b'],
    ]) {
      const { code } = await fake.run(['invoke', 'agent', ...wrong]);
      assert.equal(code, 2, wrong.join(' '));
    }
  });

  test('prints the body as it is, and beside it what came back when asked to', async () => {
    await using fake = await started();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    fake.answer((_called, response) => {
      const about = { 'millrace-revision': 'agent-00002', 'millrace-instance': '4', 'millrace-start': 'cold' };
      response.writeHead(200, { ...about, 'ce-type': 'done' }).end(bytes);
    });
    const quiet = await fake.run(['invoke', 'agent', 'x']);
    assert.deepEqual([quiet.code, quiet.bytes, quiet.stderr], [0, bytes, '']);
    const verbose = await fake.run(['invoke', 'agent', 'x', '-v']);
    assert.deepEqual(verbose.bytes, bytes);
    assert.match(verbose.stderr, /^200 OK in \d+ ms, cold, agent-00002, instance 4, an event done\n$/);
  });

  test('answers flow through a pipe of functions', async () => {
    await using fake = await started();
    fake.answer(({ body }, response) => response.end(`(${body})`));
    const one = commandLine(['fn', 'invoke', 'agent', 'x']);
    const other = commandLine(['fn', 'invoke', 'agent']);
    const child = spawn('sh', ['-c', `${one} | ${other}`], {
      env: environmentOf({ MILLRACE_ADMIN: fake.admin }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    assert.equal(await text(child.stdout), '((x))');
    await closed;
  });

  test('an answer that is none of 2xx is a failure with its reason, and nothing on stdout', async () => {
    await using fake = await started();
    fake.answer((_called, response) => {
      response.writeHead(500, { 'millrace-revision': 'agent-00002' }).end('{"error":"Error","message":"no luck"}');
    });
    const { code, stdout, stderr } = await fake.run(['invoke', 'agent', 'x']);
    assert.deepEqual([code, stdout, stderr], [1, '', 'millrace: default/agent answered 500: no luck\n']);
  });

  test('a 404 of the function is told from a function that is not there', async () => {
    await using fake = await started();
    fake.answer(({ path }, response) => {
      const revision = path.includes('/agent/') ? { 'millrace-revision': 'agent-00002' } : {};
      response.writeHead(404, revision).end('no such page');
    });
    const own = await fake.run(['invoke', 'agent', 'x']);
    assert.deepEqual([own.code, own.stderr], [1, 'millrace: default/agent answered 404: no such page\n']);
    const unknown = await fake.run(['invoke', 'agemt', 'x']);
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /there is no function default\/agemt; did you mean default\/agent\?/);
  });

  test('an answer that breaks off or does not come in time is a failure', async () => {
    await using fake = await started();
    fake.answer((_called, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half', () => response.destroy());
    });
    const broken = await fake.run(['invoke', 'agent', 'x']);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /the answer broke off/);
    fake.answer(() => {});
    const late = await fake.run(['invoke', 'agent', 'x', '--timeout', '1']);
    assert.deepEqual([late.code, late.stderr], [1, 'millrace: no answer within 1 s\n']);
  });

  test('asks the revision of a tag by its host name', async () => {
    await using fake = await started();
    await fake.run(['invoke', 'agent', 'x', '--tag', 'next', '--path', '/p']);
    const { headers, path } = fake.called[0]!;
    assert.deepEqual([headers.host, path], ['next-agent.default.svc.cluster.local', '/p']);
    const { code, stderr } = await fake.run(['invoke', 'agent', 'x', '--tag', 'last']);
    assert.deepEqual([code, stderr], [3, 'millrace: default/agent has no revision of the tag last; its tags: next\n']);
  });

  test('does not wait when told so, or waits for the result of the call that is kept', async () => {
    await using fake = await started();
    let polls = 0;
    fake.answer(({ path }, response) => {
      if (path.startsWith('/functions')) {
        response.writeHead(202, { location: '/calls/c-1', 'x-call-id': 'c-1' }).end('{}');
      } else if ((polls += 1) < 2) response.writeHead(202).end('{"status":"running"}');
      else response.writeHead(200, { 'x-function-status': '200' }).end('the result');
    });
    const kept = await fake.run(['invoke', 'agent', 'x', '--async']);
    assert.deepEqual([kept.code, kept.stdout, fake.called[0]!.headers['prefer']], [0, 'c-1\n', 'respond-async']);
    const waited = await fake.run(['invoke', 'agent', 'x', '--async', '--wait']);
    assert.deepEqual([waited.code, waited.stdout, polls], [0, 'the result', 2]);
    assert.equal((await fake.run(['invoke', 'agent', 'x', '--wait'])).code, 2);
  });
});
