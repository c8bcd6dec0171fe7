import type { Message } from '@anthropic-ai/sdk/resources/messages';

import type { FunctionContext, FunctionEvent } from '../author.ts';
import { costOf, pricesFrom, PRICES_VARIABLE } from './prices.ts';
import { DEFAULT_MAX_TURNS, paramsOf, toolChoiceOf } from './request.ts';
import type { ModelRequest } from './request.ts';
import { runTools, usesOf } from './tools.ts';
import { askOnce } from './turn.ts';
import type { ModelCaller } from './turn.ts';
import { addUsage, NO_USAGE, usageOf } from './usage.ts';
import type { Usage } from './usage.ts';

/** What came of it. */
export interface ModelResult {
  /** The input of the final tool, else the answer in the form of the schema, else the text. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly answer: any;
  /** The name of the final tool that ended it. */
  readonly finalTool: string | undefined;
  /** What the last message says. */
  readonly text: string;
  /** The last message, as it came. */
  readonly message: Message;
  /** Which model answered. */
  readonly model: string;
  /** Of all turns together. */
  readonly usage: Usage;
  /** List price of all turns together; undefined when a price is not known. */
  readonly costUsd: number | undefined;
}

/**
 * Asks a model, and lets it use the tools until it has an answer. Rejects with an error of `context.failure`:
 *
 * - what the API answers, with its status and wait (see `factsOf`): a limit is waited out by the bus
 * - 422, not tried again: it declined, its answer was cut off at `maxTokens`, or it had none after `maxTurns`
 * - 500, tried again: it answered without a final tool, though it has one, or with what is no JSON
 *
 * When `context.signal` aborts, the request is cancelled.
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
  const { tools = [], maxTurns = DEFAULT_MAX_TURNS } = request;
  const prices = pricesFrom(process.env[PRICES_VARIABLE], request.prices);
  const params = paramsOf(request);
  const messages = [...params.messages];
  let usage = NO_USAGE;
  let costUsd: number | undefined = 0;

  for (let turn = 1; turn <= maxTurns; turn++) {
    const message = yield* askOnce({ ...params, messages, ...toolChoiceOf(request, turn) }, caller);
    const used = usageOf(message);
    const cost = costOf(used, message.model, prices);
    usage = addUsage(usage, used);
    costUsd = cost === undefined || costUsd === undefined ? undefined : costUsd + cost;
    refuseUnfinished(message, params.max_tokens, caller.context);

    const uses = usesOf(message);
    const final = uses.find(({ name }) => tools.some((tool) => tool.final && tool.name === name));
    if (final !== undefined || (uses.length === 0 && message.stop_reason !== 'pause_turn')) {
      const text = textOf(message);
      const answer = final === undefined ? answerOf(text, request, caller.context) : final.input;
      return { answer, finalTool: final?.name, text, message, model: message.model, usage, costUsd };
    }
    messages.push({ role: 'assistant', content: message.content });
    if (uses.length > 0) {
      const call = { event: caller.event as FunctionEvent, context: caller.context, signal: caller.context.signal };
      messages.push({ role: 'user', content: await runTools(uses, tools, call) });
    }
  }
  throw caller.context.failure(
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
