import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { parse } from 'yaml';

import { post } from '../../../test/support/events.ts';
import { startSubscriber } from '../../../test/support/subscriber.ts';
import type { Subscriber } from '../../../test/support/subscriber.ts';
import { deadAddress, runMillrace, startMillrace, trigger, until } from '../testing/millrace.ts';
import type { TestMillrace } from '../testing/millrace.ts';

// asked (1) -> triage replies triaged (2) -> escalate replies escalated (3), which page refuses.
const REPLIES: Readonly<Record<string, string>> = { asked: 'triaged', triaged: 'escalated' };

describe('millrace events', () => {
  let millrace: TestMillrace;
  let agent: Subscriber;
  let page: Subscriber;
  before(async () => {
    agent = await startSubscriber(({ event }) => ({
      status: 200,
      headers: {
        'ce-specversion': '1.0',
        'ce-id': `${event!.id}+`,
        'ce-source': '/agent',
        'ce-type': REPLIES[event!.type]!,
      },
    }));
    page = await startSubscriber(() => ({ status: 422 }));
    millrace = await startMillrace();
    await millrace.bus.apply(
      trigger('triage', agent.url, 'filter: { attributes: { type: asked } }') +
        trigger('escalate', agent.url, 'filter: { attributes: { type: triaged } }') +
        trigger('page', page.url, 'filter: { attributes: { type: escalated } }'),
    );
    await post(`${millrace.bus.url}/default/default`, {
      id: 'a/b?c',
      type: 'asked',
      source: '/shop',
      data: '{"order":12345678901234567890}',
    });
    await millrace.bus.deadLetters(1);
    const { history } = millrace.bus.bus.store;
    await until(() => [1, 2].every((position) => history.attempts(position).length === 1));
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    await agent[Symbol.asyncDispose]();
    await page[Symbol.asyncDispose]();
  });

  test('list shows the newest first, in aligned columns', async () => {
    const { code, stdout, stderr } = await millrace.run(['events', 'list']);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.match(lines[0]!, /^POSITION {3}TYPE +SOURCE +ID +TOPIC +AGE$/);
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 5)),
      [
        ['3', 'escalated', '/agent', 'a/b?c++', 'broker/default/default'],
        ['2', 'triaged', '/agent', 'a/b?c+', 'broker/default/default'],
        ['1', 'asked', '/shop', 'a/b?c', 'broker/default/default'],
      ],
    );
    assert.equal(new Set(lines.map((line) => /(?:TOPIC|broker)/.exec(line)?.index)).size, 1);
  });

  test('list keeps to what is asked for', async () => {
    const names = async (...args: string[]) => (await millrace.run(['events', 'list', '-o', 'name', ...args])).stdout;
    assert.equal(await names('--type', 'triaged'), '2\n');
    assert.equal(await names('--source', '/agent', '--limit', '1'), '3\n');
    assert.equal(await names('--before', '3'), '2\n1\n');
    assert.equal(await names('--id', 'a/b?c'), '1\n');
    assert.equal(await names('--topic', 'nowhere'), '');
  });

  test('list says beside the data that it found nothing', async () => {
    const none = ['events', 'list', '--type', 'none'];
    const [table, json] = await Promise.all([millrace.run(none), millrace.run([...none, '-o', 'json'])]);
    assert.deepEqual([table.code, table.stdout, table.stderr], [0, '', 'No events found.\n']);
    assert.deepEqual([json.code, json.stdout, json.stderr], [0, '[]\n', '']);
  });

  test('show tells where an event came from, who got it and why, and what came of it', async () => {
    const { code, stdout } = await millrace.run(['events', 'show', '2']);
    assert.equal(code, 0);
    assert.match(stdout, /^Position: {2}2\nTopic: +broker\/default\/default\n/);
    assert.match(stdout, /^ {2}type: +triaged$/m);
    assert.ok(
      stdout.includes(
        [
          'Lineage:',
          '  1  asked  from /shop',
          '  └─ 2  triaged  reply of trigger/default/triage  <- this event',
          '     └─ 3  escalated  reply of trigger/default/escalate',
          '',
        ].join('\n'),
      ),
      stdout,
    );
    assert.match(stdout, /trigger\/default\/triage {2}not matched\n {4}type: expected "asked", got "triaged"\n/);
    assert.match(stdout, /trigger\/default\/escalate {2}delivered\n {4}type is "triaged"\n {4}ATTEMPT +STARTED/);
    assert.match(stdout, /^ {4}1 +\d\d:\d\d:\d\d\.\d{3} +subscriber +delivered +200 +\d+(?:\.\d+)?m?s$/m);
  });

  test('show finds an event by its id too, and prints JSON data over several lines with its numbers as they are', async () => {
    const { code, stdout } = await millrace.run(['events', 'show', 'a/b?c']);
    assert.equal(code, 0);
    assert.ok(
      stdout.includes('Data:  application/json, 30 bytes\n  {\n    "order": 12345678901234567890\n  }\n'),
      stdout,
    );
  });

  test('show names the command for a delivery that died', async () => {
    const { stdout } = await millrace.run(['events', 'show', '3']);
    assert.match(stdout, /page {2}dead\n[^]*see: millrace dlq show 3 --route trigger\/default\/page\n/);
  });

  test('show follows replies only as deep as it is told', async () => {
    const { stdout } = await millrace.run(['events', 'show', '1', '--depth', '1']);
    assert.ok(
      stdout.includes('  └─ 2  triaged  reply of trigger/default/triage\n     └─ ...  (millrace events show 2)\n'),
    );
  });

  test('show gives programs all of it', async () => {
    const { stdout } = await millrace.run(['events', 'show', '3', '-o', 'json']);
    const event = JSON.parse(stdout) as { causes: { position: number }[]; deliveries: { state: string }[] };
    assert.deepEqual(
      event.causes.map((it) => it.position),
      [2, 1],
    );
    assert.deepEqual(
      event.deliveries.map((it) => it.state),
      ['none', 'none', 'dead'],
    );
    const yaml = await millrace.run(['events', 'show', '3', '-o', 'yaml']);
    assert.deepEqual(Object.keys(parse(yaml.stdout) as object), Object.keys(event));
  });

  test('show --raw prints the bytes of the data and nothing else', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => 255 - byte));
    await post(`${millrace.bus.url}/default/default`, { id: 'raw', data: bytes, contentType: 'application/x-bytes' });
    const { code, bytes: printed, stderr } = await millrace.run(['events', 'show', 'raw', '--raw']);
    assert.deepEqual(printed, bytes);
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('show --raw prints all of it, however long', async () => {
    const data = 'x'.repeat(200_000);
    await post(`${millrace.bus.url}/default/default`, { id: 'long', data, contentType: 'text/plain' });
    const { code, stdout } = await millrace.run(['events', 'show', 'long', '--raw']);
    assert.equal(stdout.length, data.length);
    assert.equal(code, 0);
  });

  test('what a terminal would obey is never printed, whatever the format, and means the same to programs', async () => {
    const data = 'a\u001b]0;title\u0007\u009b31m\u202eb\r\nc';
    const headers = { 'ce-subject': 'up%E2%80%AE%E2%81%A6down' };
    await post(`${millrace.bus.url}/default/default`, { id: 'bad', data, contentType: 'text/plain', headers });
    for (const format of ['table', 'json', 'yaml']) {
      const { code, stdout } = await millrace.run(['events', 'show', 'bad', '-o', format]);
      assert.equal(code, 0);
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2066]/);
      if (format === 'table') assert.ok(stdout.includes('a\\u001b]0;title\\u0007\\u009b31m\\u202eb\\r\n  c\n'), stdout);
      else {
        const told = (format === 'json' ? JSON.parse(stdout) : parse(stdout)) as { data: string; subject: string };
        assert.equal(told.data, data);
        assert.equal(told.subject, 'up\u202e\u2066down');
      }
    }
  });

  test('what is not there is not found', async () => {
    const { code, stdout, stderr } = await millrace.run(['events', 'show', 'nothing']);
    assert.deepEqual(
      [code, stdout, stderr],
      [3, '', 'millrace: there is no event with the position or id "nothing"\n'],
    );
  });

  test('limits and positions that are none are errors of usage', async () => {
    for (const args of [
      ['--limit', '0'],
      ['--limit', '1001'],
      ['--before', 'x'],
      ['-o', 'xml'],
    ]) {
      const { code, stdout } = await millrace.run(['events', 'list', ...args]);
      assert.deepEqual([code, stdout], [2, '']);
    }
  });
});

test('show tells when the next attempt of a failed delivery is due', async () => {
  await using subscriber = await startSubscriber(() => ({ status: 503 }));
  await using millrace = await startMillrace();
  const delivery = 'delivery: { retry: 2, backoffPolicy: linear, backoffDelay: PT30M }';
  await millrace.bus.apply(trigger('later', subscriber.url, delivery));
  await post(`${millrace.bus.url}/default/default`, {});
  await until(() => millrace.bus.bus.store.history.waitingFor(1).length === 1);
  const { stdout } = await millrace.run(['events', 'show', '1']);
  assert.match(stdout, /^ {2}trigger\/default\/later {2}waiting for a retry$/m);
  assert.match(stdout, /^ {4}1 +\S+ +subscriber +retrying +503 +\S+ +answered 503$/m);
  assert.match(stdout, /^ {4}next: attempt 2 \(subscriber\) in \d\dm, at \d{4}-.*Z$/m);
});

test('show tells what models have cost: each event, and the run', async () => {
  const usage = { 'ce-llmmodel': 'claude-x', 'ce-llmrequests': '1', 'ce-llmoutputtokens': '56' };
  const replies: Readonly<Record<string, Record<string, string>>> = {
    asked: { ...usage, 'ce-type': 'triaged', 'ce-llminputtokens': '1234', 'ce-llmcostusd': '0.0042' },
    triaged: { ...usage, 'ce-type': 'escalated', 'ce-llminputtokens': '1000' },
  };
  await using agent = await startSubscriber(({ event }) => ({
    status: 200,
    headers: { 'ce-specversion': '1.0', 'ce-id': `${event!.id}+`, 'ce-source': '/agent', ...replies[event!.type] },
  }));
  await using millrace = await startMillrace();
  await millrace.bus.apply(
    trigger('triage', agent.url, 'filter: { attributes: { type: asked } }') +
      trigger('escalate', agent.url, 'filter: { attributes: { type: triaged } }'),
  );
  await post(`${millrace.bus.url}/default/default`, { id: 'a', type: 'asked' });
  await until(() => millrace.bus.bus.store.log.get(3) !== undefined);
  const { stdout } = await millrace.run(['events', 'show', '2']);
  assert.match(stdout, /└─ 2 .*triage {2}claude-x 1,234 in, 56 out, \$0\.0042 {2}<- this event$/m);
  assert.match(stdout, /└─ 3 .*escalate {2}claude-x 1,000 in, 56 out$/m);
  assert.match(stdout, /^Spent: {2}2,234 in, 112 out, \$0\.0042 or more, by 2 events$/m);
  const first = await millrace.run(['events', 'show', '1', '-o', 'json']);
  const { replies: told } = JSON.parse(first.stdout) as { replies: { usage: unknown }[] };
  assert.deepEqual(told[0]!.usage, {
    model: 'claude-x',
    requests: 1,
    inputTokens: 1_234,
    outputTokens: 56,
    costUsd: 0.0042,
  });
});

test('events says so when nobody is there, or somebody else', async () => {
  const address = await deadAddress();
  const nobody = await runMillrace(['events', 'list', '--admin', address]);
  assert.equal(nobody.code, 5);
  assert.match(nobody.stderr, /^millrace: no millrace answers at/);
  await using other = await startSubscriber(() => ({ status: 200, body: '<html>' }));
  const somebody = await runMillrace(['events', 'list', '--admin', other.url]);
  assert.equal(somebody.code, 1);
  assert.match(somebody.stderr, /what answers at .* is no admin port of millrace \(it said 200\)/);
  const wrong = await runMillrace(['events', 'list', '--admin', 'nonsense']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--admin: expected an address such as .*, got "nonsense"/);
});
