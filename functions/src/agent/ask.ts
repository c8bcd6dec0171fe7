import type { Message } from '@anthropic-ai/sdk/resources/messages';

import type { FunctionContext, FunctionEvent } from '../author.ts';
import { pricesFrom, PRICES_VARIABLE } from './prices.ts';
import { DEFAULT_MAX_TURNS, paramsOf, toolChoiceOf } from './request.ts';
import type { ModelRequest } from './request.ts';
import { NOTHING_SPENT, spend, usageExtensions } from './spent.ts';
import type { Spent } from './spent.ts';
import { runTools, usesOf } from './tools.ts';
import { askOnce } from './turn.ts';
import type { ModelCaller } from './turn.ts';

/** What came of it; `model`, `usage` and `costUsd` are of all turns together. */
export interface ModelResult extends Spent {
  /** The input of the final tool, else the answer in the form of the schema, else the text. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly answer: any;
  /** The name of the final tool that ended it. */
  readonly finalTool: string | undefined;
  /** What the last message says. */
  readonly text: string;
  /** The last message, as it came. */
  readonly message: Message;
}

/**
 * Asks a model, and lets it use the tools until it has an answer. Rejects with an error of `context.failure`:
 *
 * - what the API answers, with its status and wait (see `factsOf`): a limit is waited out by the bus
 * - 422, not tried again: it declined, its answer was cut off at `maxTokens`, or it had none after `maxTurns`
 * - 500, tried again: it answered without a final tool, though it has one, or with what is no JSON
 *
 * When `context.signal` aborts, the request is cancelled. What was spent before a failure is logged as a warning, since
 * there is no reply to carry it.
 */
export async function askModel(request: ModelRequest, caller: ModelCaller): Promise<ModelResult> {
  const stream = streamModel(request, caller);
  let step = await stream.next();
  while (!step.done) step = await stream.next();
  return step.value;
}

/**
 * As {@link askModel}, and yields the text piece by piece as the model writes it, that between two uses of tools too.
 * It returns the result. Who leaves early cancels the request.
 */
export async function* streamModel(
  request: ModelRequest,
  caller: ModelCaller,
): AsyncGenerator<string, ModelResult, undefined> {
  const prices = pricesFrom(process.env[PRICES_VARIABLE], request.prices);
  let spent = NOTHING_SPENT;
  try {
    const rest = yield* converse(request, caller, (message) => (spent = spend(spent, message, prices)));
    return { ...rest, ...spent };
  } catch (error) {
    if (spent !== NOTHING_SPENT) caller.context.logger.warn('asked a model in vain', usageExtensions(spent));
    throw error;
  }
}

async function* converse(
  request: ModelRequest,
  caller: ModelCaller,
  heard: (message: Message) => void,
): AsyncGenerator<string, Omit<ModelResult, keyof Spent>, undefined> {
  const { tools = [], maxTurns = DEFAULT_MAX_TURNS } = request;
  const { context, event } = caller;
  const params = paramsOf(request);
  const messages = [...params.messages];

  for (let turn = 1; turn <= maxTurns; turn++) {
    const message = yield* askOnce({ ...params, messages, ...toolChoiceOf(request, turn) }, caller);
    heard(message);
    refuseUnfinished(message, params.max_tokens, context);

    const uses = usesOf(message);
    const final = uses.find(({ name }) => tools.some((tool) => tool.final && tool.name === name));
    if (final !== undefined || (uses.length === 0 && message.stop_reason !== 'pause_turn')) {
      const text = textOf(message);
      const answer = final === undefined ? answerOf(text, request, context) : final.input;
      return { answer, finalTool: final?.name, text, message };
    }
    messages.push({ role: 'assistant', content: message.content });
    if (uses.length > 0) {
      const call = { event: event as FunctionEvent, context, signal: context.signal };
      messages.push({ role: 'user', content: await runTools(uses, tools, call) });
    }
  }
  throw context.failure(
    `the model had no answer after ${maxTurns} turns: expected one within maxTurns, and it still uses tools`,
    { status: 422 },
  );
}

function refuseUnfinished(message: Message, maxTokens: number, context: FunctionContext): void {
  switch (message.stop_reason) {
    case 'refusal': {
      const category = message.stop_details?.category;
      throw context.failure(`the model declined to answer${category ? ` (${category})` : ''}`, { status: 422 });
    }
    case 'max_tokens':
      throw context.failure(`the answer was cut off: expected it within maxTokens, ${maxTokens}`, { status: 422 });
    case 'model_context_window_exceeded':
      throw context.failure('the conversation is longer than the model can read', { status: 422 });
  }
}

function answerOf(text: string, { answer, tools = [] }: ModelRequest, { failure }: FunctionContext): unknown {
  const said = text.slice(0, 200);
  const endings = tools.filter(({ final }) => final).map(({ name }) => name);
  if (endings.length > 0) throw failure(`expected the model to end with ${endings.join(' or ')}, it said: ${said}`);
  if (answer === undefined) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure(`expected the model to answer with JSON, it said: ${said}`, { cause });
  }
}

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
