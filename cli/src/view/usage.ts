import type { LlmUsage } from '@millrace/bus/telemetry/usage';

/** What one event cost: `claude-sonnet-5-5 1,234 in, 56 out, $0.0042`. */
export function usageText(usage: LlmUsage): string {
  return `${usage.model} ${amounts(usage)}${usage.costUsd === undefined ? '' : `, ${dollars(usage.costUsd)}`}`;
}

/** What several events cost together; `isLeast` where not all were looked at. */
export function spentText(usages: readonly LlmUsage[], isLeast: boolean): string {
  const costs = usages.map((it) => it.costUsd);
  const known = costs.filter((it) => it !== undefined);
  const sum = (values: readonly number[]) => values.reduce((total, it) => total + it, 0);
  const tokens = {
    inputTokens: sum(usages.map((it) => it.inputTokens)),
    outputTokens: sum(usages.map((it) => it.outputTokens)),
  };
  const more = isLeast || known.length < costs.length ? ' or more' : '';
  const cost = known.length === 0 ? '' : `, ${dollars(sum(known))}${more}`;
  return `${amounts(tokens)}${cost}, by ${usages.length} events`;
}

function amounts({ inputTokens, outputTokens }: Pick<LlmUsage, 'inputTokens' | 'outputTokens'>): string {
  return `${grouped(inputTokens)} in, ${grouped(outputTokens)} out`;
}

/** The same in every locale. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function dollars(amount: number): string {
  return amount >= 1 ? `$${amount.toFixed(2)}` : `$${amount.toFixed(8).replace(/\.?0+$/, '')}`;
}
