import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import type { FunctionContext, FunctionEvent, FunctionHandler } from '../author.ts';
import { startStandInModel } from '../stand-in/stand-in-model.ts';
import type { MessagesRequest, StandInAnswer, StandInModel, Turn } from '../stand-in/stand-in-model.ts';
import { agent, askModel, streamModel } from './agent.ts';
import type { AgentTool } from './agent.ts';
import { clientFor } from './client.ts';

const KEY = 'sk-this-is-secret';
const EVENT: FunctionEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: '/test',
  type: 'com.example.asked',
  subject: 'order-1',
  data: 'Why?',
};

/** As the runner makes them: an error that knows its answer. */
class Failure extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: Parameters<FunctionContext['failure']>[1] = {}) {
    super(message, { cause: options.cause });
    this.status = options.status ?? 500;
    this.retryAfterMs = options.retryAfterMs;
  }
}

function contextOf(
  signal = new AbortController().signal,
  log: (message: unknown, fields?: object) => void = () => {},
): FunctionContext {
  const logger = { debug: log, info: log, warn: log, error: log };
  const failure: FunctionContext['failure'] = (message, options) => new Failure(message, options);
  const request = { method: 'POST', path: '/', headers: {} };
  return { signal, attempt: 1, deadline: Infinity, logger, failure, request };
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const failure = await call.then(
    () => assert.fail('expected a failure'),
    (error: unknown) => error,
  );
  assert.ok(failure instanceof Failure, String(failure));
  return failure;
}

/** Resolves when the connection of a request is closed. */
function closing({ socket }: IncomingMessage): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

const say = (text: string): Turn => ({ content: [{ type: 'text', text }] });
const use = (...uses: readonly [name: string, input: unknown][]): Turn => ({
  content: uses.map(([name, input], index) => ({ type: 'tool_use', id: `use-${index}`, name, input })),
});

describe('an agent', () => {
  let standIn: StandInModel;
  let answer: StandInAnswer;
  let seen: { request: MessagesRequest; key: unknown }[];
  before(async () => {
    standIn = await startStandInModel({
      answer: (request, http) => {
        seen.push({ request, key: http.headers['idempotency-key'] });
        return answer(request, http);
      },
    });
  });
  beforeEach(() => {
    seen = [];
    answer = () => undefined;
    Object.assign(process.env, { ANTHROPIC_BASE_URL: standIn.url, ANTHROPIC_API_KEY: KEY });
  });
  afterEach(() => {
    for (const name of ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY', 'MODEL', 'MILLRACE_MODEL_PRICES'])
      delete process.env[name];
  });
  after(() => standIn.close());

  /** One answer for each turn, the last for all that follow. */
  function script(...turns: readonly Turn[]): void {
    let turn = 0;
    answer = () => turns[Math.min(turn++, turns.length - 1)];
  }

  describe('replies', () => {
    test('with the answer, and with what it cost as extensions', async () => {
      answer = () => ({
        ...say('Because.'),
        usage: {
          input_tokens: 1000,
          output_tokens: 200,
          cache_read_input_tokens: 30,
          cache_creation_input_tokens: 4,
        },
      });
      assert.deepEqual(await agent({})(EVENT, contextOf()), {
        type: 'com.example.asked.answered',
        subject: 'order-1',
        data: 'Because.',
        llmmodel: 'claude-sonnet-5-5',
        llmrequests: 1,
        llminputtokens: 1034,
        llmoutputtokens: 200,
        llmcostusd: '0.004013',
      });
    });

    test('with the fields that its author wants, and with nothing when he wants nothing', async () => {
      const made = agent({ reply: (event, { answer }) => ({ type: 'done', llmmodel: 'x', data: [event.id, answer] }) });
      answer = () => say('Because.');
      const reply = await made(EVENT, contextOf());
      assert.deepEqual([reply?.['type'], reply?.['data']], ['done', ['e-1', 'Because.']]);
      assert.equal(reply?.['llmmodel'], 'claude-sonnet-5-5');
      assert.equal((await agent({ reply: { type: 'fixed' } })(EVENT, contextOf()))?.['type'], 'fixed');
      const silent: FunctionHandler = agent({ reply: () => null });
      assert.equal(await silent(EVENT, contextOf()), undefined);
    });

    test('without a cost when the price of the model is not known, with that of the variable when it says one', async () => {
      const made = agent({ model: 'a-model' });
      answer = () => ({ ...say('.'), usage: { input_tokens: 10, output_tokens: 0 } });
      const unknown = await made(EVENT, contextOf());
      assert.deepEqual([unknown?.['llminputtokens'], unknown?.['llmcostusd']], [10, undefined]);
      process.env['MILLRACE_MODEL_PRICES'] = '{"a-model": {"input": 5, "output": 1}}';
      assert.equal((await made(EVENT, contextOf()))?.['llmcostusd'], '0.00005');
    });

    test('with the JSON of the schema that it answers in', async () => {
      const schema = { type: 'object', properties: { sure: { type: 'boolean' } }, additionalProperties: false };
      const reply = await agent({ answer: schema, params: { output_config: { effort: 'low' } } })(EVENT, contextOf());
      assert.deepEqual(reply?.['data'], { sure: false });
      const config = { effort: 'low', format: { type: 'json_schema', schema } };
      assert.deepEqual(seen[0]?.request.output_config, config);
    });
  });

  test('asks with the data of the event, with its system prompt, and with the model of the environment', async () => {
    await agent({ system: 'Be kind.' })({ ...EVENT, data: { a: 1 } }, contextOf());
    const [{ request }] = seen as [(typeof seen)[0]];
    assert.deepEqual(request.messages, [{ role: 'user', content: '{\n  "a": 1\n}' }]);
    assert.equal((request as MessagesRequest & { system?: string }).system, 'Be kind.');
    process.env['MODEL'] = 'claude-opus-5-5';
    await agent({})(EVENT, contextOf());
    assert.equal(seen[1]?.request.model, 'claude-opus-5-5');
    const none = await failureOf(agent({})({ ...EVENT, data: undefined }, contextOf()));
    assert.equal(none.status, 400);
  });

  test('uses one client for all events, until the environment names another', async () => {
    const first = await clientFor();
    await agent({})(EVENT, contextOf());
    assert.equal(await clientFor(), first);
    const other = await clientFor({ ...process.env, ANTHROPIC_API_KEY: 'another' });
    assert.notEqual(other, first);
    assert.deepEqual([other.apiKey, other.baseURL, other.maxRetries], ['another', standIn.url, 0]);
  });

  test('asks with the same idempotency key in each attempt, and with another for each turn and event', async () => {
    const tools: AgentTool[] = [{ name: 'look', input_schema: { type: 'object' }, run: () => 'seen' }];
    const made = agent({ tools });
    for (const [attempt, event] of [EVENT, EVENT, { ...EVENT, id: 'e-2' }, { ...EVENT, source: '/other' }].entries()) {
      await made(event, { ...contextOf(), attempt: attempt + 1 });
    }
    const keys = seen.map(({ key }) => String(key));
    assert.equal(keys.length, 8);
    assert.deepEqual(keys.slice(2, 4), keys.slice(0, 2));
    assert.equal(new Set(keys).size, 6);
    assert.ok(
      keys.every((key) => /^[0-9a-f]{64}$/.test(key)),
      keys.join(),
    );
  });

  describe('fails', () => {
    for (const [status, type, passed] of [
      [429, 'rate_limit_error', 429],
      [529, 'overloaded_error', 529],
      [500, 'api_error', 500],
      [400, 'invalid_request_error', 400],
      [401, 'authentication_error', 401],
      [404, 'not_found_error', 400],
    ] as const) {
      test(`with ${passed} and the wait after a ${status}, asked once`, async () => {
        answer = () => ({ status, type, retryAfterSeconds: 7, message: `no, ${KEY}` });
        const failure = await failureOf(agent({})(EVENT, contextOf()));
        assert.deepEqual([failure.status, failure.retryAfterMs], [passed, 7000]);
        assert.equal(failure.message, `the model did not answer: ${status} no, ***`);
        assert.equal(failure.cause, undefined, 'the cause has the key');
        assert.equal(seen.length, 1);
      });
    }

    test('with the status of an error in the middle of the stream', async () => {
      answer = () => ({ status: 529, type: 'overloaded_error', midStream: true });
      assert.equal((await failureOf(agent({})(EVENT, contextOf()))).status, 529);
    });

    test('with 503 and the reason when nobody listens there', async () => {
      const gone = await startStandInModel();
      await gone.close();
      process.env['ANTHROPIC_BASE_URL'] = gone.url;
      const failure = await failureOf(agent({})(EVENT, contextOf()));
      assert.equal(failure.status, 503);
      assert.match(failure.message, /^the model did not answer: .*ECONNREFUSED/);
    });

    test('for good when the model declines, has too little room, or says no JSON', async () => {
      for (const [stop_reason, status, pattern] of [
        ['refusal', 422, /declined/],
        ['max_tokens', 422, /cut off: expected it within maxTokens, 9$/],
        ['end_turn', 500, /expected the model to answer with JSON, it said: Well/],
      ] as const) {
        answer = () => ({ ...say('Well'), stop_reason });
        const failure = await failureOf(agent({ maxTokens: 9, answer: { type: 'object' } })(EVENT, contextOf()));
        assert.equal(failure.status, status);
        assert.match(failure.message, pattern);
      }
    });

    test('before it asks when the prices are no prices', async () => {
      for (const prices of ['{', '[]', '{"a-model": 3}', '{"a-model": {"input": "3", "output": 1}}']) {
        process.env['MILLRACE_MODEL_PRICES'] = prices;
        await assert.rejects(agent({})(EVENT, contextOf()), /MILLRACE_MODEL_PRICES: expected JSON such as/);
      }
      assert.equal(seen.length, 0);
    });
  });

  test('closes its request when the call is given up', async () => {
    const deadline = new AbortController();
    const closed = new Promise((resolve) => {
      answer = async (_request, http) => {
        deadline.abort();
        resolve(await closing(http));
        return undefined;
      };
    });
    const failure = await failureOf(agent({})(EVENT, contextOf(deadline.signal)));
    assert.equal(failure.status, 504);
    await closed;
  });

  describe('streams', () => {
    test('the text in pieces, then the result', async () => {
      const stream = streamModel({ prompt: 'Why?' }, { context: contextOf() });
      const pieces: string[] = [];
      let step = await stream.next();
      for (; !step.done; step = await stream.next()) pieces.push(step.value);
      assert.ok(pieces.length > 1);
      assert.equal(pieces.join(''), '[stand-in model] You said: Why?');
      assert.equal(step.value.text, pieces.join(''));
      assert.ok(step.value.usage.outputTokens > 0);
      assert.equal(seen[0]?.key, undefined, 'without an event there is nothing to be the same for');
    });

    test('no further when nobody reads on: the request is closed', async () => {
      let closed: Promise<unknown> | undefined;
      answer = (_request, http) => {
        closed = closing(http);
        // More than fits into the buffers on the way.
        return say('and so on '.repeat(30_000));
      };
      for await (const piece of streamModel({ prompt: 'Why?' }, { context: contextOf() })) {
        assert.equal(piece, 'and');
        break;
      }
      await closed;
    });
  });

  describe('with tools', () => {
    const add: AgentTool = {
      name: 'add',
      input_schema: { type: 'object' },
      run: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
    };
    const fail: AgentTool = {
      name: 'fail',
      input_schema: { type: 'object' },
      run: (_input, { event }) => {
        throw new Error(`no luck with ${event.id}`);
      },
    };
    const file: AgentTool = { name: 'file', input_schema: { type: 'object' }, final: true };
    const resultsOf = (turn: number): unknown => seen[turn]?.request.messages.at(-1)?.content;

    test('gives the model what they make, also their errors, and counts all turns', async () => {
      script(use(['add', { a: 1, b: 2 }], ['fail', {}]), use(['none', {}]), say('Three.'));
      const result = await askModel({ prompt: 'Add.', tools: [add, fail] }, { event: EVENT, context: contextOf() });
      assert.equal(result.answer, 'Three.');
      assert.equal(result.usage.requests, 3);
      assert.deepEqual(resultsOf(1), [
        { type: 'tool_result', tool_use_id: 'use-0', content: '{"sum":3}' },
        { type: 'tool_result', tool_use_id: 'use-1', content: 'no luck with e-1', is_error: true },
      ]);
      assert.deepEqual(resultsOf(2), [
        { type: 'tool_result', tool_use_id: 'use-0', content: 'there is no tool none', is_error: true },
      ]);
      assert.deepEqual(
        seen[0]?.request.tools?.map((tool) => Object.keys(tool)),
        [
          ['name', 'input_schema'],
          ['name', 'input_schema'],
        ],
      );
    });

    test('fails as one of them says', async () => {
      const down: AgentTool = {
        ...add,
        run: (_input: unknown, { context }) => {
          throw context.failure('the database is down', { status: 503, retryAfterMs: 1000 });
        },
      };
      script(use(['add', {}]));
      const failure = await failureOf(agent({ tools: [down] })(EVENT, contextOf()));
      assert.deepEqual([failure.message, failure.status, failure.retryAfterMs], ['the database is down', 503, 1000]);
    });

    test('answers with the input of a final one', async () => {
      script(use(['add', { a: 1, b: 2 }]), use(['file', { it: 'is filed' }]));
      const result = await askModel({ prompt: 'Add.', tools: [add, file] }, { event: EVENT, context: contextOf() });
      assert.deepEqual([result.answer, result.finalTool], [{ it: 'is filed' }, 'file']);
    });

    test('fails when it has a final one and ends without', async () => {
      script(say('I would rather not.'));
      const failure = await failureOf(agent({ tools: [file] })(EVENT, contextOf()));
      assert.equal(failure.status, 500);
      assert.match(failure.message, /expected the model to end with file, it said: I would rather not/);
    });

    test('is told which one to use first, not in each turn', async () => {
      const tools = [add];
      await agent({ model: 'claude-sonnet-5', tools, toolChoice: { type: 'tool', name: 'add' } })(EVENT, contextOf());
      assert.deepEqual(
        seen.map(({ request }) => request.tool_choice),
        [{ type: 'tool', name: 'add' }, undefined],
      );
    });

    test('fails for good when it comes to no end', async () => {
      script(use(['add', { a: 1, b: 2 }]));
      const lines: unknown[] = [];
      const context = contextOf(undefined, (...line) => lines.push(line));
      const failure = await failureOf(agent({ tools: [add], maxTurns: 3 })(EVENT, context));
      assert.equal(failure.status, 422);
      assert.match(failure.message, /no answer after 3 turns/);
      assert.equal(seen.length, 3);
      const [[words, spent]] = lines as [[string, Record<string, unknown>]];
      assert.deepEqual([words, spent['llmrequests'], lines.length], ['asked a model in vain', 3, 1]);
    });
  });
});
