import type { RunUsage } from '@millrace/bus/admin/run-views';

import { humanDuration, latency } from './time.ts';

/** How long a run or a delivery took, in milliseconds: `12ms`, `1.25s`, `3m20s`. */
export function runtime(milliseconds: number): string {
  return milliseconds < 60_000 ? latency(milliseconds) : humanDuration(milliseconds);
}

/** A size in bytes: `340 B`, `1.2 KiB`, `3.0 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Tokens in and out: `1,234/56`. */
export function tokensText({ inputTokens, outputTokens }: RunUsage): string {
  return `${grouped(inputTokens)}/${grouped(outputTokens)}`;
}

/** What that cost: `$0.0042`; with a `+` where some of it has no price; `-` where none has. */
export function costText({ costUsd, isLeast }: RunUsage): string {
  if (costUsd === undefined) return '-';
  const amount = costUsd >= 1 ? costUsd.toFixed(2) : costUsd.toFixed(8).replace(/\.?0+$/, '');
  return `$${amount}${isLeast === true ? '+' : ''}`;
}

/** `1 attempt`, `2 attempts`, `1,000 entries`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : several}`;
}

/** The same in every locale. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
