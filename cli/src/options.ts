import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { AdminAddress } from './admin-address.ts';

/** How the admin port is found and entered, as it was given. */
export interface AdminOption {
  readonly admin: AdminAddress;
}

/**
 * Adds `--admin`, also taken from MILLRACE_ADMIN, and what it takes to be let in. Default: where `millrace up` listens
 * unless it is told otherwise. The action is given them as one.
 */
export function addAdmin(command: Command): Command {
  return command
    .addOption(
      new Option('--admin <url>', 'address of the admin port').env('MILLRACE_ADMIN').default('http://127.0.0.1:8081'),
    )
    .addOption(
      new Option('--token-file <path>', 'the token for it (default: MILLRACE_TOKEN, or that of the data folder)').env(
        'MILLRACE_TOKEN_FILE',
      ),
    )
    .addOption(new Option('--ca-file <path>', 'certificates that vouch for it, PEM').env('MILLRACE_CA_FILE'))
    .hook('preAction', (acting) => {
      const { admin, tokenFile, caFile } = acting.opts<{ admin: string; tokenFile?: string; caFile?: string }>();
      acting.setOptionValue('admin', { url: admin, tokenFile, caFile } satisfies AdminAddress);
    });
}

/** How data is written: for people, for programs, or only what tells one thing from the next. */
export type Format = 'table' | 'json' | 'yaml' | 'name';

export interface OutputOption {
  readonly output: Format;
}

/** Adds `-o`. Default: all formats, `table` unless told otherwise. */
export function addOutput(command: Command, formats: readonly Format[] = ['table', 'json', 'yaml', 'name']): Command {
  return command.addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('table'));
}

/** Collects the values of an option that may be given several times. */
export function several(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Reads a whole number within bounds; another value is an error of usage. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    const bounds = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number ${bounds}.`);
  };
}

/** The most rows that the admin port gives at once. */
export const MOST_ROWS = 1_000;

/** Adds `--limit` for a list of the newest. Default: 50 rows. */
export function addLimit(command: Command): Command {
  return command.option('--limit <rows>', `at most so many, up to ${MOST_ROWS}`, wholeNumber(1, MOST_ROWS), 50);
}
