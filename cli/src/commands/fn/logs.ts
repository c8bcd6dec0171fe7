import type { LogLine } from '@millrace/bus/admin/functions';

import { adminClient } from '../../client.ts';
import { followed } from '../../follow.ts';
import type { OutputOption } from '../../options.ts';
import { print, tell } from '../../output.ts';
import { LOG_HEADER, logLine } from '../../view/log-line.ts';
import { printableLines } from '../../view/printable.ts';
import { functionName } from './options.ts';
import type { NamedOptions } from './options.ts';

interface LogsOptions extends NamedOptions, OutputOption {
  readonly follow?: true;
  readonly lines: number;
  readonly event?: string;
}

/** `millrace fn logs`. */
export async function logs(given: string, options: LogsOptions): Promise<void> {
  const { admin, follow, lines, event, output } = options;
  const { path } = functionName(given, options);
  const client = adminClient(admin);
  const query = { lines, event, follow: follow === true ? 'true' : undefined };
  const told = follow === true ? followed(client, { path: `${path}/logs`, query, tell }) : undefined;
  let printed = 0;
  for await (const text of told ?? (await client.follow(`${path}/logs`, query))) {
    const line = JSON.parse(text) as LogLine;
    if (line.kind === 'skipped') tell(`missed ${line.count} lines: they came faster than they were read`);
    if (output === 'json') await print(`${printableLines(text)}\n`);
    else if (line.kind === 'skipped') continue;
    else await print(`${printed === 0 ? `${LOG_HEADER}\n` : ''}${logLine(line)}\n`);
    printed += 1;
  }
  if (printed === 0 && output === 'table') tell('It has written nothing.');
}
