import type { WhyView } from '@millrace/bus/admin/why';
import type { Command } from 'commander';

import { addAdmin, addOutput } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';

/** `millrace why`: which Triggers took an event or did not, and by which part of their filters. */
export function register(program: Command): void {
  const command = program
    .command('why')
    .description('explain which Triggers took an event and which did not, filter node by filter node')
    .argument('<event>', 'the position or id of the event')
    .argument('[trigger]', 'only this route, such as trigger/default/urgent, or just urgent');
  addOutput(addAdmin(command), ['table', 'json', 'yaml']).action(why);
}

async function why(key: string, trigger: string | undefined, options: AdminOption & OutputOption): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { show } = await import('../output.ts');
  const { routeName } = await import('../route-name.ts');
  const { whyPage } = await import('../view/why-page.ts');
  const client = adminClient(options.admin);
  const route = await routeName(client, trigger);
  const view = await client.get<WhyView>(`/api/why/${encodeURIComponent(key)}`, { route });
  await show(options.output, view, { table: () => whyPage(view), names: () => [] });
}
