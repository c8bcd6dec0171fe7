import { createHash } from 'node:crypto';

import type { Anthropic } from '@anthropic-ai/sdk';
import type { Message, MessageCreateParams, MessageParam } from '@anthropic-ai/sdk/resources/messages';

import type { FunctionContext, FunctionEvent } from '../author.ts';
import { clientFor, secretsOf } from './client.ts';
import { factsOf } from './failure.ts';
import { costOf, pricesFrom, PRICES_VARIABLE } from './prices.ts';
import type { Prices } from './prices.ts';
import { runTools, toolsForModel, usesOf } from './tools.ts';
import type { AgentTool } from './tools.ts';
import { addUsage, NO_USAGE, usageOf } from './usage.ts';
import type { Usage } from './usage.ts';

/** The model when neither the request nor the variable `MODEL` names one. */
export const DEFAULT_MODEL = 'claude-sonnet-5-5';
const DEFAULT_MAX_TOKENS = 16_000;
const DEFAULT_MAX_TURNS = 10;

/** What a model is asked. */
export interface ModelRequest {
  /** What the user says, or the conversation so far. */
  readonly prompt: string | readonly MessageParam[];
  readonly system?: string | undefined;
  /** Default: the variable `MODEL`, else {@link DEFAULT_MODEL}. */
  readonly model?: string | undefined;
  /** How much one answer may have, what the model thinks included. An answer that needs more is a failure. Default 16000. */
  readonly maxTokens?: number | undefined;
  /** A JSON Schema (of objects with `additionalProperties: false`) that the answer fits; without it the answer is text. */
  readonly answer?: object | undefined;
  readonly tools?: readonly AgentTool[] | undefined;
  /**
   * As the Messages API has it. A certain tool (`{ type: 'tool' }`) is for the first turn only. Current models refuse to
   * be told which tool to use (`tool`, `any`): for an answer of a certain form, rather use `answer`.
   */
  readonly toolChoice?: MessageCreateParams['tool_choice'];
  /** How often the model is asked, at most; more is a failure. Default 10. */
  readonly maxTurns?: number | undefined;
  /** List prices over those of `MILLRACE_MODEL_PRICES`. */
  readonly prices?: Prices | undefined;
  /** Whatever else the Messages API takes, such as `thinking`, `metadata` or `output_config: { effort: 'low' }`. */
  readonly params?: Partial<MessageCreateParams> | undefined;
}

/** For whom a model is asked: the two arguments of a function. Without an event, tools get none either. */
export interface ModelCaller {
  readonly event?: FunctionEvent | undefined;
  readonly context: FunctionContext;
}

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
 * - what the API answers, with its status and wait (see {@link factsOf}): a limit is waited out by the bus
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
    const message = yield* oneTurn({ ...params, messages, ...toolChoiceOf(request, turn) }, caller);
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

type Params = MessageCreateParams & { messages: MessageParam[] };

function paramsOf(request: ModelRequest): Params {
  const { prompt, system, answer, tools = [], params } = request;
  return {
    ...params,
    model: request.model ?? (process.env['MODEL'] || DEFAULT_MODEL),
    max_tokens: request.maxTokens ?? DEFAULT_MAX_TOKENS,
    messages: typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : [...prompt],
    ...(system === undefined ? {} : { system }),
    ...(tools.length === 0 ? {} : { tools: [...toolsForModel(tools), ...(params?.tools ?? [])] }),
    ...(answer === undefined
      ? {}
      : { output_config: { ...params?.output_config, format: { type: 'json_schema', schema: { ...answer } } } }),
  };
}

/** Whoever had to use a certain tool in every turn would never come to an end. */
function toolChoiceOf({ toolChoice }: ModelRequest, turn: number): Pick<MessageCreateParams, 'tool_choice'> {
  if (toolChoice === undefined || (toolChoice.type === 'tool' && turn > 1)) return {};
  return { tool_choice: toolChoice };
}

/** Always as a stream: an answer may take longer than a silent connection lives. */
async function* oneTurn(params: Params, { event, context }: ModelCaller): AsyncGenerator<string, Message, undefined> {
  try {
    const anthropic: Anthropic = await clientFor();
    const headers = event === undefined ? {} : { 'idempotency-key': idempotencyKey(event, params) };
    const stream = anthropic.messages.stream({ ...params, stream: true }, { signal: context.signal, headers });
    for await (const part of stream) {
      if (part.type === 'content_block_delta' && part.delta.type === 'text_delta') yield part.delta.text;
    }
    return await stream.finalMessage();
  } catch (error) {
    const { message, ...facts } = factsOf(error, secretsOf());
    throw context.failure(message, facts);
  }
}

/**
 * The same for the same question about the same event, whichever attempt it is; another for each turn. The API itself
 * promises nothing for it, but a gateway before it can, and what is asked twice in one call must not be taken for one.
 */
function idempotencyKey({ source, id }: FunctionEvent, params: Params): string {
  return createHash('sha256')
    .update(JSON.stringify([source, id, params]))
    .digest('hex');
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
  const endings = tools.filter(({ final }) => final).map(({ name }) => name);
  if (endings.length > 0) throw failure(`expected the model to end with ${endings.join(' or ')}, it said: ${text}`);
  if (answer === undefined) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure(`expected the model to answer with JSON, it said: ${text}`, { cause });
  }
}

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
