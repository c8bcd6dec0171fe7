import type { TailLine } from '@millrace/bus/admin/tail';
import type { Command } from 'commander';

import { addAdmin, addOutput, wholeNumber } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';

interface TailOptions extends AdminOption, OutputOption {
  readonly type?: string;
  readonly source?: string;
  readonly topic?: string;
  readonly route?: string;
  readonly limit?: number;
}

/** `millrace tail`: what happens from now on, until it is interrupted. */
export function register(program: Command): void {
  const command = program
    .command('tail')
    .description('follow events and deliveries as they happen')
    .option('--type <type>', 'only events of this type')
    .option('--source <source>', 'only events of this source')
    .option('--topic <topic>', 'only events of this topic, such as broker/default/default')
    .option('--route <route>', 'only attempts of this route, such as trigger/default/urgent, or just urgent')
    .option('--limit <lines>', 'end after so many lines', wholeNumber(1));
  addOutput(addAdmin(command), ['table', 'json']).action(tail);
}

async function tail({ admin, output, limit = Infinity, type, source, topic, route }: TailOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { followed } = await import('../follow.ts');
  const { print, tell } = await import('../output.ts');
  const { printableLines } = await import('../view/printable.ts');
  const { routeName } = await import('../route-name.ts');
  const { TAIL_HEADER, tailLine } = await import('../view/tail-line.ts');
  const client = adminClient(admin);
  const query = { type, source, topic, route: await routeName(client, route) };
  let printed = 0;
  for await (const text of followed(client, { path: '/api/tail', query, tell })) {
    const line = JSON.parse(text) as TailLine;
    if (line.kind === 'skipped') tell(`missed ${line.count} lines: they came faster than they were read`);
    if (output === 'json') await print(`${printableLines(text)}\n`);
    else if (line.kind === 'skipped') continue;
    else await print(`${printed === 0 ? `${TAIL_HEADER}\n` : ''}${tailLine(line)}\n`);
    printed += 1;
    if (printed >= limit) return;
  }
}
