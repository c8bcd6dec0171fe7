import type { Command } from 'commander';

import { CommandFailure } from '../exit-codes.ts';
import { addAdmin, several } from '../options.ts';
import type { AdminOption } from '../options.ts';
import { printable } from '../view/printable.ts';

interface TokenOptions extends AdminOption {
  readonly namespace: string;
  readonly audience?: readonly string[];
  readonly duration: string;
}

/** `millrace token`: a token of a ServiceAccount, with which events are sent where senders are authenticated. */
export function register(program: Command): void {
  const command = program
    .command('token')
    .description('print a token of a ServiceAccount')
    .argument('<serviceaccount>', 'such as default, which is in every namespace')
    .option('-n, --namespace <name>', 'of the ServiceAccount', 'default')
    .option('--audience <name>', 'for whom it is, as in status.address.audience; may be given several times', several)
    .option('--duration <time>', 'how long it is valid, at least 10m', '1h');
  addAdmin(command).action(token);
}

async function token(account: string, { admin, namespace, audience, duration }: TokenOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { print, tell } = await import('../output.ts');
  const { tokenOf } = await import('../service-account-token.ts');
  const client = apiClient(admin, (text) => tell(`Warning: ${text}`));
  await print(
    `${await tokenOf(client, { account, namespace, audiences: audience ?? [], seconds: secondsOf(duration) })}\n`,
  );
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

function secondsOf(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([smh])?$/.exec(text) ?? [];
  if (count === undefined)
    throw new CommandFailure('usage', printable(`--duration: expected 90s, 10m or 1h, got "${text}"`));
  return Number(count) * UNITS[unit]!;
}
