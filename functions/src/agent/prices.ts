import type { Usage } from './usage.ts';

/** List prices of a model in US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Input that comes from the cache; without it, it costs as other input. */
  readonly cacheRead?: number;
  /** Input that is written to the cache, for five minutes; without it, it costs as other input. */
  readonly cacheWrite?: number;
}

export type Prices = Readonly<Record<string, Price>>;

/** Of the environment: a JSON object of {@link Prices} by name of the model, laid over those that are known here. */
export const PRICES_VARIABLE = 'MILLRACE_MODEL_PRICES';

/**
 * As https://platform.claude.com/docs/en/about-claude/pricing had them in October 2026. Prices change and contracts
 * differ: say yours in `MILLRACE_MODEL_PRICES`. A model whose price depends on the length of the prompt (Claude Haiku
 * 5.5) is not here, and so its cost is not told.
 */
const KNOWN: Prices = {
  'claude-fable-5-1': { input: 10, output: 50, cacheRead: 0.25, cacheWrite: 12.5 },
  'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 },
  'claude-opus-5': { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
  'claude-sonnet-5-5': { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 },
  'claude-sonnet-5': { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 },
  'claude-haiku-4-5': { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
};

/**
 * The prices that hold: those known here, over them those of the variable, over them `own`. Throws when the variable
 * is no such object.
 */
export function pricesFrom(variable: string | undefined, own: Prices = {}): Prices {
  return { ...KNOWN, ...(variable ? parse(variable) : {}), ...own };
}

/**
 * What the usage costs in US dollars; undefined when the model has no price. A date at the end of its name
 * (`-20251001`) makes no difference.
 */
export function costOf(usage: Usage, model: string, prices: Prices): number | undefined {
  const price = prices[model] ?? prices[model.replace(/-\d{8}$/, '')];
  if (price === undefined) return undefined;
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const dollars =
    usage.inputTokens * input +
    usage.outputTokens * output +
    usage.cacheReadTokens * cacheRead +
    usage.cacheWriteTokens * cacheWrite;
  return dollars / 1_000_000;
}

function parse(variable: string): Prices {
  const expected = `${PRICES_VARIABLE}: expected JSON such as {"a-model": {"input": 2, "output": 10}} in US dollars for a million tokens`;
  let prices: unknown;
  try {
    prices = JSON.parse(variable);
  } catch (cause) {
    throw new Error(`${expected}, but it is no JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isObject(prices)) throw new Error(`${expected}, got ${variable}`);
  for (const [model, price] of Object.entries(prices)) {
    const { input, output, cacheRead = 0, cacheWrite = 0 } = isObject(price) ? price : {};
    if (![input, output, cacheRead, cacheWrite].every(isPrice))
      throw new Error(`${expected}; the price of ${model} is ${JSON.stringify(price)}`);
  }
  return prices as Prices;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPrice(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}
