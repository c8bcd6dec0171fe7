import type { Message } from '@anthropic-ai/sdk/resources/messages';

import { costOf } from './prices.ts';
import type { Prices } from './prices.ts';
import { addUsage, NO_USAGE, USAGE_EXTENSIONS, usageOf } from './usage.ts';
import type { Usage } from './usage.ts';

/** What a conversation with a model has cost so far. */
export interface Spent {
  /** Which model answered last; empty before it did. */
  readonly model: string;
  readonly usage: Usage;
  /** List price in US dollars; undefined when a price is not known. */
  readonly costUsd: number | undefined;
}

/** Before a model has answered. */
export const NOTHING_SPENT: Spent = { model: '', usage: NO_USAGE, costUsd: 0 };

/** That and one more answer of a model. */
export function spend(before: Spent, message: Pick<Message, 'model' | 'usage'>, prices: Prices): Spent {
  const used = usageOf(message);
  const cost = costOf(used, message.model, prices);
  return {
    model: message.model,
    usage: addUsage(before.usage, used),
    costUsd: cost === undefined || before.costUsd === undefined ? undefined : before.costUsd + cost,
  };
}

/** The extensions for a reply; see {@link USAGE_EXTENSIONS}. */
export function usageExtensions({ model, usage, costUsd }: Spent): Record<string, string | number> {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, requests } = usage;
  return {
    [USAGE_EXTENSIONS.model]: model,
    [USAGE_EXTENSIONS.requests]: requests,
    [USAGE_EXTENSIONS.inputTokens]: inputTokens + cacheReadTokens + cacheWriteTokens,
    [USAGE_EXTENSIONS.outputTokens]: outputTokens,
    ...(costUsd === undefined ? {} : { [USAGE_EXTENSIONS.costUsd]: decimal(costUsd) }),
  };
}

/** Without an exponent and without zeros at the end; a hundred-millionth of a dollar is less than any token costs. */
function decimal(dollars: number): string {
  return dollars.toFixed(8).replace(/\.?0+$/, '');
}
