import type { Message } from '@anthropic-ai/sdk/resources/messages';

/**
 * The extensions of a reply that say what it cost to make. They are a contract: whoever counts or shows usage (metrics,
 * `millrace events show`) reads these names from the event, and an agent in any language may set them.
 *
 * | extension | value |
 * | --- | --- |
 * | `llmmodel` | the model that answered, such as `claude-sonnet-5-5` |
 * | `llmrequests` | how many requests to the model it took, an integer |
 * | `llminputtokens` | all tokens that it read, those from the cache and into the cache with them, an integer |
 * | `llmoutputtokens` | all tokens that it wrote, an integer |
 * | `llmcostusd` | list price of all that in US dollars, a decimal such as `0.0042`; absent when a price is not known |
 */
export const USAGE_EXTENSIONS = {
  model: 'llmmodel',
  requests: 'llmrequests',
  inputTokens: 'llminputtokens',
  outputTokens: 'llmoutputtokens',
  costUsd: 'llmcostusd',
} as const;

/** What requests to a model used, in tokens. The three kinds of input are counted apart, as the Messages API does. */
export interface Usage {
  /** Read anew: neither from the cache nor into it. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly requests: number;
}

/** Nothing used yet. */
export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  requests: 0,
};

/** What one answer of the model used. */
export function usageOf({ usage }: Pick<Message, 'usage'>): Usage {
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
    requests: 1,
  };
}

/** Both together. */
export function addUsage(one: Usage, other: Usage): Usage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    requests: one.requests + other.requests,
  };
}
