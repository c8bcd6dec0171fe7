import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

/** Adds `-n` and, where several namespaces may be looked at, `-A`. */
export function addNamespace(command: Command, { all = true }: { readonly all?: boolean } = {}): Command {
  command.option('-n, --namespace <name>', 'in this namespace (default: "default")');
  return all ? command.option('-A, --all-namespaces', 'in all namespaces') : command;
}

/** Adds `-l`. */
export function addSelector(command: Command): Command {
  return command.option('-l, --selector <selector>', 'only those with such labels: team=blue,stage!=test');
}

/** What a dry run is asked for as; both words mean that the server checks everything and stores nothing. */
export type DryRun = 'none' | 'client' | 'server';

/** Adds `--dry-run`. Default: `none`; without a value `server`. */
export function addDryRun(command: Command): Command {
  return command.addOption(
    new Option('--dry-run [mode]', 'have the server check everything, and store nothing')
      .choices(['none', 'client', 'server'])
      .preset('server')
      .default('none', 'none'),
  );
}

/** What a line about an object ends with when nothing was stored. */
export function dryRunText(mode: DryRun): string {
  return mode === 'none' ? '' : ` (${mode === 'server' ? 'server ' : ''}dry run)`;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const WEEK_MS = 7 * 24 * 3_600_000;

/** Reads a time as kubectl takes it (`30s`, `1m30s`, `0`), in milliseconds; less than nothing is a week. */
export function waitingTime(text: string): number {
  if (/^-\d/.test(text)) return WEEK_MS;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    throw new InvalidArgumentError('Expected a time such as 30s, 5m or 1m30s.');
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const sum = parts.reduce((total, [, count, unit = '']) => total + Number(count) * (UNITS_MS[unit] ?? 0), 0);
  return Math.min(sum, WEEK_MS);
}

/** Reads `true` and `false`. */
export function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('Expected true or false.');
  return text === 'true';
}
