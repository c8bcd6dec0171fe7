import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { replyEvent } from '../../../test/support/flows.ts';
import { broker, trigger } from '../../../test/support/manifests.ts';
import { startSubscriber } from '../../../test/support/subscriber.ts';
import { deadAddress, runMillrace, startMillrace } from '../testing/millrace.ts';
import type { TestMillrace } from '../testing/millrace.ts';

describe('millrace send', () => {
  let millrace: TestMillrace;
  let folder: string;
  before(async () => {
    millrace = await startMillrace();
    folder = mkdtempSync(join(tmpdir(), 'millrace-send-'));
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const newest = () => millrace.bus.bus.store.history.entries({ limit: 1 })[0]!;
  const fileOf = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test('posts an event to the default broker and says where it stands, and what to do next', async () => {
    const { code, stdout, stderr } = await millrace.run(['send', '--type', 'asked', '--data', '{"a": 1}']);
    const { position, topic, event } = newest();
    assert.equal(stdout, `202 accepted at position ${position}, id ${event.id}\n`);
    assert.equal(stderr, `see what becomes of it: millrace events show ${position}\n`);
    assert.equal(code, 0);
    assert.equal(topic, 'broker/default/default');
    assert.equal(event.type, 'asked');
    assert.equal(event.source, 'millrace-cli');
    assert.match(event.id, /^[\da-f]{8}-[\da-f-]{27}$/);
    assert.equal(event.datacontenttype, 'application/json');
    assert.equal(Buffer.from(event.data!).toString(), '{"a": 1}');
  });

  for (const mode of ['binary', 'structured']) {
    test(`sets every attribute as it is told, in ${mode} mode`, async () => {
      const attributes = ['--type', 't', '--source', '/s', '--subject', 'Grüße', '--id', `id-${mode}`];
      const more = ['--time', '2026-01-31T12:00:00Z', '--ext', 'one=1=1', '--ext', 'two=', '--content-type', 'text/x'];
      const { code } = await millrace.run(['send', ...attributes, ...more, '--data', 'words', '--mode', mode]);
      const { event } = newest();
      assert.equal(code, 0);
      assert.deepEqual(
        [event.id, event.type, event.source, event.subject, event.time, event.datacontenttype],
        [`id-${mode}`, 't', '/s', 'Grüße', '2026-01-31T12:00:00Z', 'text/x'],
      );
      assert.deepEqual({ ...event.extensions }, { one: '1=1', two: '' });
      assert.equal(Buffer.from(event.data!).toString(), 'words');
    });
  }

  test('reads the data from a file or from stdin, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const file = fileOf('bytes', bytes);
    const fromFile = await millrace.run(['send', '--type', 't', '--data', `@${file}`]);
    assert.equal(fromFile.code, 0);
    assert.deepEqual(Buffer.from(newest().event.data!), bytes);
    assert.equal(newest().event.datacontenttype, 'application/octet-stream');
    const fromStdin = await millrace.run(['send', '--type', 't', '--data', '-'], 'plain words');
    assert.equal(fromStdin.code, 0);
    assert.equal(Buffer.from(newest().event.data!).toString(), 'plain words');
    assert.equal(newest().event.datacontenttype, 'text/plain');
  });

  test('sends an event or a batch from a file in the JSON format', async () => {
    const said = (id: string) => `{"specversion":"1.0","id":"${id}","source":"/f","type":"t","data":{"n":1.0}}`;
    const one = await millrace.run(['send', '--file', fileOf('one.json', said('f1'))]);
    assert.equal(one.code, 0);
    assert.equal(newest().event.id, 'f1');
    assert.equal(Buffer.from(newest().event.data!).toString(), '{"n":1.0}');
    const batch = await millrace.run(['send', '--file', '-'], ` [${said('f2')}, ${said('f3')}]`);
    assert.equal(batch.code, 0);
    assert.match(batch.stdout, /id f2\n$/);
    assert.equal(newest().event.id, 'f3');
  });

  test('sends several, each with an id of its own', async () => {
    const { code, stdout } = await millrace.run(['send', '--type', 'many', '--count', '20', '-o', 'name']);
    const sent = millrace.bus.bus.store.history.entries({ limit: 100, type: 'many' });
    assert.equal(code, 0);
    assert.equal(new Set(sent.map((it) => it.event.id)).size, 20);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map(Number)
        .toSorted((one, other) => other - one),
      sent.map((it) => it.position),
    );
  });

  test('tells of what was sent before it failed', async () => {
    await using broker = await startSubscriber((_, nth) => ({ status: nth > 2 ? 503 : 202 }));
    const { code, stdout, stderr } = await runMillrace([
      'send',
      '--type',
      't',
      '--count',
      '40',
      '--url',
      `${broker.url}x`,
    ]);
    assert.equal(code, 1);
    assert.match(stdout, /^(?:202 accepted, id \S+\n){2}$/);
    assert.equal(stderr, `millrace: ${broker.url}x answered 503: it does not say why\n`);
    assert.equal(broker.received.length, 16);
  });

  test('tells programs the status, the position and the id', async () => {
    const { stdout } = await millrace.run(['send', '--type', 't', '-o', 'json']);
    assert.deepEqual(JSON.parse(stdout), { status: 202, position: newest().position, id: newest().event.id });
  });

  test('posts to a whole address as it is, without asking the admin port', async () => {
    await using elsewhere = await startSubscriber();
    const admin = await deadAddress();
    const args = ['send', '--type', 't', '--url', `${elsewhere.url}some/path?q=1`, '--admin', admin, '--data', 'x'];
    const { code, stdout, stderr } = await runMillrace(args);
    const [received] = await elsewhere.count(1);
    assert.equal(code, 0);
    assert.equal(received!.path, '/some/path?q=1');
    assert.equal(received!.body.toString(), 'x');
    assert.equal(stdout, `202 accepted, id ${received!.event!.id}\n`);
    assert.equal(stderr, '');
  });

  describe('with --wait', () => {
    test('prints the reply, for people and for programs', async () => {
      await using subscriber = await startSubscriber(() => replyEvent('answered', { sum: 3 }, { lang: 'en' }));
      await millrace.bus.apply(broker() + trigger('t', subscriber.url, { filter: { attributes: { type: 'asked' } } }));
      const { code, stdout } = await millrace.run(['send', '--type', 'asked', '--wait', '20s']);
      assert.equal(code, 0);
      assert.match(stdout, /^Reply:\n {2}specversion: +1\.0\n {2}id: +reply-answered\n/);
      assert.match(stdout, /\n {2}lang: +en\n[^]*Data: {2}application\/json, 9 bytes\n {2}\{\n {4}"sum": 3\n {2}\}\n$/);
      const json = await millrace.run(['send', '--type', 'asked', '--id', 'a', '--wait', '1m', '-o', 'json']);
      const { position, reply, ...sent } = JSON.parse(json.stdout) as Record<string, unknown>;
      assert.equal(position, millrace.bus.bus.store.history.entries({ limit: 1, id: 'a' })[0]!.position);
      assert.deepEqual(sent, { status: 200, id: 'a', run: 'succeeded' });
      const attributes = { specversion: '1.0', id: 'reply-answered', source: '/reply', type: 'answered', lang: 'en' };
      assert.deepEqual(reply, { ...attributes, datacontenttype: 'application/json', data: { sum: 3 } });
    });

    test('says that there is none, and fails where there should have been', async () => {
      await using subscriber = await startSubscriber(({ event }) =>
        event!.type === 'fail' ? { status: 400 } : { hang: event!.type === 'hang' },
      );
      await millrace.bus.apply(broker() + trigger('t', subscriber.url));
      const send = (type: string, wait: string) => millrace.run(['send', '--type', type, '--wait', wait]);
      const [silent, failed, late] = await Promise.all([send('silent', '20s'), send('fail', '20s'), send('hang', '0')]);
      assert.deepEqual([silent.code, failed.code, late.code], [0, 1, 1]);
      assert.match(silent.stdout, /^202 accepted at position \d+, id \S+, over without a reply\n$/);
      assert.match(failed.stdout, /, failed\n$/);
      assert.match(failed.stderr, /events show \d+\nmillrace: there is no reply: what was to reply has failed\n$/);
      assert.match(late.stdout, /, running\n$/);
      assert.match(late.stderr, /\nmillrace: no reply has come within 0 s\n$/);
    });

    test('is for one event, and no longer than what is held', async () => {
      for (const args of [
        ['--wait', '11m'],
        ['--wait', 'long'],
        ['--wait', '5s', '--count', '2'],
      ]) {
        const { code, stderr } = await millrace.run(['send', '--type', 't', ...args]);
        assert.equal(code, 2);
        assert.match(stderr, /--wait/);
      }
    });
  });

  test('repeats what the broker says against it, and fails', async () => {
    const { code, stdout, stderr } = await millrace.run(['send', '--type', 't', '-n', 'nowhere']);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      `millrace: ${millrace.bus.url}/nowhere/default answered 404: there is no broker at /nowhere/default\n`,
    );
  });

  test('fails with what somebody else says who is no broker', async () => {
    await using rude = await startSubscriber(() => ({ status: 500, body: 'oh \u001b[31mno' }));
    const { code, stderr } = await runMillrace(['send', '--type', 't', '--url', `${rude.url}x`]);
    assert.equal(code, 1);
    assert.equal(stderr, `millrace: ${rude.url}x answered 500: oh \\u001b[31mno\n`);
  });

  for (const [what, args, expected] of [
    ['no type', [], /--type: expected the type of the event/],
    ['a wrong source', ['--type', 't', '--source', 'a b'], /^millrace: source: expected a URI-reference .*, got "a b"/],
    ['a wrong time', ['--type', 't', '--time', 'noon'], /time: expected a timestamp .*, got "noon"/],
    ['a wrong name of an extension', ['--type', 't', '--ext', 'My-Ext=1'], /My-Ext: expected a name of lower-case/],
    ['an extension without a value', ['--type', 't', '--ext', 'alone'], /--ext: expected name=value, got "alone"/],
    ['an attribute as an extension', ['--type', 't', '--ext', 'id=1'], /"id", which has an option of its own/],
    ['a file that is not there', ['--type', 't', '--data', '@/nowhere'], /--data: .* got ENOENT for "\/nowhere"/],
    ['one id for several', ['--type', 't', '--count', '2', '--id', 'x'], /--count: each event needs an id of its own/],
    ['a file and an attribute', ['--file', '-', '--type', 't'], /--file.*cannot be used with option '--type/],
    ['a mode that is none', ['--type', 't', '--mode', 'smoke'], /Allowed choices are binary, structured/],
    ['an address that is none', ['--type', 't', '--url', 'localhost:8080'], /--url: expected an address such as/],
  ] as const) {
    test(`refuses ${what} as an error of usage, and sends nothing`, async () => {
      const end = millrace.bus.bus.store.log.end('broker/default/default');
      const { code, stdout, stderr } = await millrace.run(['send', ...args]);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, expected);
      assert.equal(millrace.bus.bus.store.log.end('broker/default/default'), end);
    });
  }

  test('refuses a file that holds no event, with its place', async () => {
    const file = fileOf('bad.json', '[{"specversion":"1.0","id":"1","source":"/f"}]');
    const { code, stderr } = await millrace.run(['send', '--file', file]);
    assert.equal(code, 2);
    assert.match(stderr, /bad\.json: \[0\]\.type: expected a value, as it is required, got nothing/);
  });

  test('says so when nothing answers, at the admin port and at the data port', async () => {
    const address = await deadAddress();
    const admin = await runMillrace(['send', '--type', 't', '--admin', address]);
    assert.equal(admin.code, 5);
    assert.equal(
      admin.stderr,
      `millrace: no millrace answers at ${address}: start one with \`npm start\` or \`millrace up\`, or name its address with --admin\n`,
    );
    const data = await runMillrace(['send', '--type', 't', '--url', address]);
    assert.equal(data.code, 5);
    assert.equal(data.stderr, `millrace: nothing answers at ${address}/default/default (ECONNREFUSED)\n`);
  });
});
