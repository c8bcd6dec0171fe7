import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import Anthropic, { APIError, BadRequestError } from '@anthropic-ai/sdk';
import type { MessageParam } from '@anthropic-ai/sdk/resources/messages';

import { startStandInModel } from './stand-in-model.ts';
import type { StandInAnswer, StandInModel } from './stand-in-model.ts';

describe('the stand-in model, asked through the SDK', () => {
  let standIn: StandInModel;
  let anthropic: Anthropic;
  let told: ReturnType<StandInAnswer>;
  before(async () => {
    standIn = await startStandInModel({ answer: () => told });
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
      model: 'claude-sonnet-5',
      tools: [TOOL],
      tool_choice: { type: 'tool', name: 'file' },
    });
    assert.equal(message.stop_reason, 'tool_use');
    const [block] = message.content;
    assert.ok(block?.type === 'tool_use');
    assert.deepEqual(block.input, FILED);
  });

  test('uses each tool once before it answers, and quotes what came of it', async () => {
    const tools = [TOOL, { ...TOOL, name: 'look' }];
    const messages: MessageParam[] = [...QUESTION.messages];
    const used: string[] = [];
    for (;;) {
      const { content } = await anthropic.messages.create({ ...QUESTION, messages, tools });
      const [block] = content;
      messages.push({ role: 'assistant', content });
      if (block?.type !== 'tool_use') {
        assert.deepEqual(block?.type === 'text' && block.text, '[stand-in model] You said: look is done');
        break;
      }
      used.push(block.name);
      const result = { type: 'tool_result' as const, tool_use_id: block.id, content: `${block.name} is done` };
      messages.push({ role: 'user', content: [result] });
    }
    assert.deepEqual(used, ['file', 'look']);
  });

  test('answers in the format that is asked for', async () => {
    const format = { type: 'json_schema' as const, schema: TOOL.input_schema };
    const { content } = await anthropic.messages.create({ ...QUESTION, output_config: { format } });
    assert.ok(content[0]?.type === 'text');
    assert.deepEqual(JSON.parse(content[0].text), FILED);
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
    const request = { ...QUESTION, tools: [TOOL] };
    const [block] = (await anthropic.messages.stream(request).finalMessage()).content;
    assert.ok(block?.type === 'tool_use');
    assert.deepEqual(block.input, FILED);
  });

  test('refuses as the API does', async () => {
    const rejected = anthropic.messages.create({ ...QUESTION, max_tokens: 0 });
    await assert.rejects(rejected, BadRequestError);
    const forced = anthropic.messages.create({ ...QUESTION, tools: [TOOL], tool_choice: { type: 'any' } });
    const apiMessage = 'tool_choice: type "tool" and "any" are not supported for this model.';
    await assert.rejects(forced, { apiMessage });
    const wrong = await fetch(`${standIn.url}/v1/messages`, {
      method: 'POST',
      body: '{',
      headers: { 'x-api-key': 'a' },
    });
    assert.equal(wrong.status, 400);
    assert.equal((await fetch(`${standIn.url}/v1/messages`, { method: 'POST', body: '{}' })).status, 401);
    assert.equal((await fetch(`${standIn.url}/v1/models`)).status, 404);
  });

  test('can be told to be overloaded, before it answers or meanwhile', async () => {
    told = { status: 529, type: 'overloaded_error', retryAfterSeconds: 7 };
    const rejected: unknown = await anthropic.messages.create(QUESTION).catch((error: unknown) => error);
    told = { ...told, midStream: true };
    const broken = anthropic.messages.stream(QUESTION).finalMessage();
    const brokenOff: unknown = await broken.catch((error: unknown) => error);
    told = undefined;
    assert.ok(rejected instanceof APIError && brokenOff instanceof APIError);
    assert.deepEqual([rejected.status, (rejected.headers as Headers).get('retry-after')], [529, '7']);
    assert.deepEqual([brokenOff.status, brokenOff.type], [undefined, 'overloaded_error']);
  });

  test('can be told what to say', async () => {
    told = { content: [{ type: 'text', text: 'No.' }], stop_reason: 'refusal', usage: { cache_read_input_tokens: 9 } };
    const { content, stop_reason, usage } = await anthropic.messages.create(QUESTION);
    told = undefined;
    assert.deepEqual(content, [{ type: 'text', text: 'No.' }]);
    assert.deepEqual([stop_reason, usage.cache_read_input_tokens], ['refusal', 9]);
  });
});
