import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { Answer } from '@millrace/event/handler';

import { findCode } from '../src/find-code.ts';
import { openFunctions } from '../src/functions.ts';
import type { FunctionLog, Functions } from '../src/functions.ts';
import { startStandInModel } from '../src/stand-in/stand-in-model.ts';
import type { StandInFault } from '../src/stand-in/stand-in-model.ts';
import { aContext, anEvent, failureOf, jsonOf, textOf } from '../src/test-support.ts';
import { WORKLOAD_DEFAULTS } from '../src/workload.ts';
import type { Code } from '../src/workload.ts';

describe('the examples', () => {
  let functions: Functions | undefined;
  let lines: FunctionLog[] = [];
  afterEach(() => functions?.close());

  async function call(
    service: string,
    event: { attributes?: Record<string, unknown>; data: unknown },
    environment: Record<string, string> = {},
  ): Promise<Answer> {
    const codeFolder = fileURLToPath(new URL('.', import.meta.url));
    const found = findCode({ namespace: 'default', service, manifestFolder: codeFolder, codeFolder });
    assert.ok('code' in found, JSON.stringify(found));
    return await callCode(service, found.code, event, environment);
  }

  async function callCode(
    service: string,
    code: Code,
    event: { attributes?: Record<string, unknown>; data: unknown },
    environment: Record<string, string> = {},
  ): Promise<Answer> {
    lines = [];
    functions = openFunctions({ log: (line) => lines.push(line) });
    const running = functions.start({
      ...WORKLOAD_DEFAULTS,
      name: `default/${service}`,
      code,
      environment,
    });
    const isText = typeof event.data === 'string';
    const data = isText ? (event.data as string) : JSON.stringify(event.data);
    const datacontenttype = isText ? 'text/plain' : 'application/json';
    const answer = await running.handler(anEvent({ datacontenttype, ...event.attributes }, data), aContext());
    await running.drain();
    return answer;
  }

  test('hello-node replies with an event', async () => {
    const { event } = await call('hello-node', { attributes: { subject: 's' }, data: { name: 'Ada' } });
    assert.deepEqual([event?.type, event?.subject], ['com.example.greeted', 's']);
    assert.deepEqual(jsonOf(event), { greeting: 'Hello, Ada!' });
    assert.deepEqual(
      lines.map((line) => line.text),
      ['greeting {"name":"Ada"}'],
    );
  });

  test('func-node replies with an event', async () => {
    const data = { lines: [{ price: 2, count: 3 }] };
    const { event } = await call('func-node', { attributes: { subject: 'order-1' }, data });
    assert.deepEqual([event?.type, event?.subject], ['com.example.order.priced', 'order-1']);
    assert.deepEqual(jsonOf(event), { total: 6 });
    assert.deepEqual(
      lines.map((line) => [line.text, line.eventId]),
      [['priced order-1', 'e-1']],
    );
  });

  test('fetch-node replies with server-sent events', async () => {
    const { event } = await call('fetch-node', { data: 'one two' });
    assert.equal(event?.datacontenttype, 'text/event-stream');
    assert.equal(textOf(event), 'data: one\n\ndata: two\n\n');
  });

  const folderOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

  test('port-program replies with JSON', async () => {
    const folder = folderOf('port-program');
    const code = { language: 'program', command: ['python3', 'server.py'], folder, speaks: 'http' } as const;
    const { event } = await callCode('port-program', code, { data: 'hello' });
    assert.deepEqual(jsonOf(event), { type: 'com.example.asked', bytes: 5 });
  });

  test('cli-program replies with what it prints', async () => {
    const folder = folderOf('cli-program');
    const code = { language: 'program', command: ['./count.sh'], folder, speaks: 'stdio' } as const;
    const { event } = await callCode('cli-program', code, { data: 'three little words' });
    assert.equal(textOf(event), 'com.example.asked has 3 words\n');
  });

  test('openfaas-python replies with a line of text', async () => {
    const { event } = await call('openfaas-python', { data: 'quiet' });
    assert.equal(event?.type, 'dev.millrace.function.reply');
    assert.equal(textOf(event), 'QUIET\n');
  });

  test('fission-python replies with JSON', async () => {
    const { event } = await call('fission-python', { data: 'three little words' });
    assert.equal(event?.datacontenttype, 'application/json');
    assert.deepEqual(jsonOf(event), { words: 3, from: '/test' });
  });

  test('nuclio-python replies with a response', async () => {
    const { event } = await call('nuclio-python', { data: 'Ada' });
    assert.deepEqual([textOf(event), event?.datacontenttype], ['Hello, Ada!', 'text/plain']);
    assert.deepEqual(
      lines.map((line) => [line.text, line.eventId]),
      [['greeting {"id": "e-1"}', 'e-1']],
    );
  });

  test('func-python replies with an event', async () => {
    const data = { lines: [{ price: 2, count: 3 }] };
    const { event } = await call('func-python', { attributes: { subject: 'order-1' }, data });
    assert.deepEqual([event?.type, event?.subject], ['com.example.order.priced', 'order-1']);
    assert.equal(event?.source, '/functions/default/func-python');
    assert.deepEqual(jsonOf(event), { total: 6 });
  });

  test('func-context-python replies with JSON', async () => {
    const data = { lines: [{ price: 2, count: 3 }] };
    const { event } = await call('func-context-python', { attributes: { subject: 'order-1' }, data });
    assert.deepEqual(jsonOf(event), { lines: 1, order: 'order-1' });
  });

  test('openfaas-http-python replies with server-sent events', async () => {
    const { event } = await call('openfaas-http-python', { data: 'one two' });
    assert.equal(event?.datacontenttype, 'text/event-stream');
    assert.equal(textOf(event), 'data: one\n\ndata: two\n\n');
  });

  test('openfaas-http-python refuses an event without words', async () => {
    assert.equal((await failureOf(call('openfaas-http-python', { data: ' ' }))).status, 400);
  });

  test('notify prints a line and replies nothing', async () => {
    const data = { category: 'bug', priority: 'high', summary: 'it is broken' };
    const answer = await call('notify', { attributes: { subject: 'ticket-7' }, data });
    assert.equal(answer.event, undefined);
    assert.deepEqual(
      lines.map((line) => line.text),
      ['ticket-7: high bug - it is broken'],
    );
  });

  describe('ticket-agent', () => {
    const TICKET = { subject: 'Billing', body: 'I was charged twice, this is urgent.', customer: 'c-1' };
    async function triage(data: unknown, fault?: StandInFault): Promise<Answer> {
      const model = await startStandInModel({ answer: () => fault });
      const environment = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'none' };
      try {
        return await call('ticket-agent', { attributes: { type: 'com.example.ticket.created' }, data }, environment);
      } finally {
        await model.close();
      }
    }

    test('replies with the triage of the ticket, and what it cost', async () => {
      const { event } = await triage(TICKET);
      assert.deepEqual([event?.type, event?.subject], ['com.example.ticket.triaged', 'e-1']);
      const { llmmodel, llmrequests, llmcostusd } = event?.extensions ?? {};
      assert.deepEqual([llmmodel, llmrequests], ['claude-sonnet-5-5', '1']);
      assert.match(String(llmcostusd), /^0\.00\d+$/);
      assert.deepEqual(jsonOf(event), {
        category: 'billing',
        priority: 'urgent',
        summary: '[stand-in model] summary',
        suggestedReply: '[stand-in model] suggestedReply',
        customer: 'c-1',
        model: 'claude-sonnet-5-5',
      });
    });

    for (const [status, type] of [
      [429, 'rate_limit_error'],
      [529, 'overloaded_error'],
    ] as const) {
      test(`passes the ${status} of the provider on, with its wait`, async () => {
        const failure = await failureOf(triage(TICKET, { status, type, retryAfterSeconds: 7 }));
        assert.deepEqual([failure.status, failure.retryAfterMs], [status, 7000]);
      });
    }

    test('refuses what is no ticket for good', async () => {
      const failure = await failureOf(triage({ subject: 'no body' }));
      assert.equal(failure.status, 400);
      assert.match(failure.message, /data\.body: expected a string/);
    });
  });

  test('research-agent searches its pages and reads one before it answers', async () => {
    const asked: unknown[] = [];
    const model = await startStandInModel({ answer: ({ messages }) => void asked.push(messages.at(-1)?.content) });
    const environment = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'none' };
    const data = 'How long does shipping take?';
    const { event } = await call('research-agent', { data }, environment).finally(() => model.close());
    assert.equal(event?.type, 'com.example.question.answered');
    assert.deepEqual([event?.extensions['llmrequests'], asked.length, asked[0]], ['3', 3, data]);
    const { question, answer } = jsonOf(event);
    assert.equal(question, data);
    assert.match(answer, /^\[stand-in model\] You said: # Shipping\n\nA parcel within Europe/);
  });
});
