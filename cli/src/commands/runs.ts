import type { RunList, RunView } from '@millrace/bus/admin/run-views';
import { Option } from 'commander';
import type { Command } from 'commander';

import { addAdmin, addLimit, addOutput, wholeNumber } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';
import { programName } from '../program-name.ts';

interface ListOptions extends AdminOption, OutputOption {
  readonly flow?: string;
  readonly status?: string;
  readonly type?: string;
  readonly limit: number;
  readonly before?: number;
}

interface ShowOptions extends AdminOption {
  readonly output: 'tree' | 'json' | 'yaml';
}

/** `millrace runs`: events from outside, each with everything that followed from it. */
export function register(program: Command): void {
  const runs = program.command('runs').description('look at runs: an event, and everything that followed from it');
  const listing = runs
    .command('list')
    .description('list runs, the newest first: how each is, how long it took, what it cost')
    .option('--flow <name>', 'only of this flow, such as research or sequence/default/research; or of a broker')
    .addOption(
      new Option('--status <status>', 'only those that are so').choices(['running', 'waiting', 'succeeded', 'failed']),
    )
    .option('--type <type>', 'only those that an event of this type began')
    .option('--before <position>', 'only older ones than this position', wholeNumber(1));
  addLimit(addOutput(addAdmin(listing))).action(list);
  const showing = runs
    .command('show')
    .description('show a run as a tree: every delivery, every attempt that failed, every reply, and what it came to')
    .argument('<position|id>', 'the position of its event, or the id; any event of the run will do')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['tree', 'json', 'yaml']).default('tree'));
  addAdmin(showing).action(showOne);
}

async function list({ admin, output, flow, status, type, limit, before }: ListOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { show, tell } = await import('../output.ts');
  const { runTable } = await import('../view/run-table.ts');
  const query = { flow, status, type, limit, before };
  const { runs, next } = await adminClient(admin).get<RunList>('/api/runs', query);
  if (runs.length === 0 && output === 'table') tell('No runs found.');
  else await show(output, runs, { table: () => runTable(runs), names: () => runs.map((it) => String(it.position)) });
  // A full page is what was asked for; a page that is not has older ones behind it that nobody has looked at.
  if (next !== undefined && runs.length < limit) {
    tell(`older runs were not looked at: go on with ${programName()} runs list --before ${next}`);
  }
}

async function showOne(key: string, { admin, output }: ShowOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { show } = await import('../output.ts');
  const { runPage } = await import('../view/run-page.ts');
  const run = await adminClient(admin).get<RunView>(`/api/runs/${encodeURIComponent(key)}`);
  await show(output === 'tree' ? 'table' : output, run, { table: () => runPage(run, Date.now()), names: () => [] });
}
