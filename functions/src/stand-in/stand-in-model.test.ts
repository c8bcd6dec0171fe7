import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import Anthropic, { APIError, BadRequestError } from '@anthropic-ai/sdk';

import { startStandInModel } from './stand-in-model.ts';
import type { StandInFault, StandInModel } from './stand-in-model.ts';

describe('the stand-in model, asked through the SDK', () => {
  let standIn: StandInModel;
  let anthropic: Anthropic;
  let fault: StandInFault | undefined;
  before(async () => {
    standIn = await startStandInModel({ fault: () => fault });
    anthropic = new Anthropic({ apiKey: 'any', baseURL: standIn.url, maxRetries: 0 });
  });
  after(() => standIn.close());

  const QUESTION = {
    model: 'claude-sonnet-5-5',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: 'Is it urgent?' }],
  };
  const TOOL = {
    name: 'file',
    input_schema: {
      type: 'object' as const,
      properties: {
        priority: { type: 'string', enum: ['low', 'urgent'] },
        title: { type: 'string' },
        count: { type: 'integer', minimum: 1 },
        sure: { type: 'boolean' },
        tags: { type: 'array', items: { type: 'string' }, minItems: 1 },
      },
    },
  };
  const FILED = {
    priority: 'urgent',
    title: '[stand-in model] title',
    count: 1,
    sure: false,
    tags: ['[stand-in model] tags'],
  };

  test('says that it is one, and always the same', async () => {
    const [first, second] = [await anthropic.messages.create(QUESTION), await anthropic.messages.create(QUESTION)];
    assert.deepEqual(first.content, [{ type: 'text', text: '[stand-in model] You said: Is it urgent?' }]);
    assert.deepEqual([first.model, first.stop_reason], ['claude-sonnet-5-5', 'end_turn']);
    assert.ok(first.usage.input_tokens > 0 && first.usage.output_tokens > 0);
    assert.deepEqual(second, first);
  });

  test('uses the tool that it must, with an input that fits the schema', async () => {
    const message = await anthropic.messages.create({
      ...QUESTION,
      tools: [TOOL],
      tool_choice: { type: 'tool', name: 'file' },
    });
    assert.equal(message.stop_reason, 'tool_use');
    const [block] = message.content;
    assert.ok(block?.type === 'tool_use');
    assert.deepEqual(block.input, FILED);
  });

  test('streams the same text in pieces', async () => {
    const stream = anthropic.messages.stream(QUESTION);
    const heard: string[] = [];
    stream.on('text', (text) => heard.push(text));
    const message = await stream.finalMessage();
    assert.ok(heard.length > 1);
    assert.equal(heard.join(''), '[stand-in model] You said: Is it urgent?');
    assert.equal(message.stop_reason, 'end_turn');
  });

  test('streams the use of a tool', async () => {
    const request = { ...QUESTION, tools: [TOOL], tool_choice: { type: 'any' as const } };
    const [block] = (await anthropic.messages.stream(request).finalMessage()).content;
    assert.ok(block?.type === 'tool_use');
    assert.deepEqual(block.input, FILED);
  });

  test('refuses as the API does', async () => {
    const rejected = anthropic.messages.create({ ...QUESTION, max_tokens: 0 });
    await assert.rejects(rejected, BadRequestError);
    const wrong = await fetch(`${standIn.url}/v1/messages`, {
      method: 'POST',
      body: '{',
      headers: { 'x-api-key': 'a' },
    });
    assert.equal(wrong.status, 400);
    assert.equal((await fetch(`${standIn.url}/v1/messages`, { method: 'POST', body: '{}' })).status, 401);
    assert.equal((await fetch(`${standIn.url}/v1/models`)).status, 404);
  });

  test('can be told to be overloaded', async () => {
    fault = { status: 529, type: 'overloaded_error', retryAfterSeconds: 7 };
    const rejected: unknown = await anthropic.messages.create(QUESTION).catch((error: unknown) => error);
    fault = undefined;
    assert.ok(rejected instanceof APIError);
    assert.deepEqual([rejected.status, (rejected.headers as Headers).get('retry-after')], [529, '7']);
  });
});
