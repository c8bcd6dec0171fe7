/** What it cost to make an event, as its extensions say it. */
export interface LlmUsage {
  readonly model: string;
  /** Requests to the model. */
  readonly requests: number;
  /** Tokens, those from a cache with them. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** List price in US dollars; undefined when it is not known. */
  readonly costUsd: number | undefined;
}

/**
 * Reads `llmmodel`, `llmrequests`, `llminputtokens`, `llmoutputtokens` and `llmcostusd` (the contract of the agent
 * helper) from the attributes or the extensions of an event. Undefined when no model is named or no tokens are counted;
 * any code may have set them, so what is no number counts as not said.
 */
export function usageIn(values: Readonly<Record<string, unknown>>): LlmUsage | undefined {
  const { llmmodel: model } = values;
  if (typeof model !== 'string' || model === '') return undefined;
  const inputTokens = integer(values['llminputtokens']);
  const outputTokens = integer(values['llmoutputtokens']);
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    model,
    requests: integer(values['llmrequests']) ?? 1,
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    costUsd: decimal(values['llmcostusd']),
  };
}

function integer(value: unknown): number | undefined {
  const text = String(value);
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function decimal(value: unknown): number | undefined {
  const text = String(value);
  return /^\d{1,9}(\.\d{1,20})?$/.test(text) ? Number(text) : undefined;
}
