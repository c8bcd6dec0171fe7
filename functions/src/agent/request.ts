import type { MessageCreateParams, MessageParam } from '@anthropic-ai/sdk/resources/messages';

import type { Prices } from './prices.ts';
import { toolsForModel } from './tools.ts';
import type { AgentTool } from './tools.ts';

/** The model when neither the request nor the variable `MODEL` names one. */
export const DEFAULT_MODEL = 'claude-sonnet-5-5';
const DEFAULT_MAX_TOKENS = 16_000;
/** How often the model is asked when the request does not say. */
export const DEFAULT_MAX_TURNS = 10;

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

/** A request as the Messages API takes it. */
export type Params = MessageCreateParams & { messages: MessageParam[] };

/** The request of the first turn. */
export function paramsOf(request: ModelRequest): Params {
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

/** The choice for a turn, counted from 1: whoever had to use a certain tool in every turn would never come to an end. */
export function toolChoiceOf({ toolChoice }: ModelRequest, turn: number): Pick<MessageCreateParams, 'tool_choice'> {
  if (toolChoice === undefined || (toolChoice.type === 'tool' && turn > 1)) return {};
  return { tool_choice: toolChoice };
}
