import type { Condition, Status } from '@millrace/bus/plan/plan';
import type { Command } from 'commander';

import type { About } from '../client.ts';
import { addAdmin, addOutput } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';

/** `millrace status`: where the process listens, and how each resource is. */
export function register(program: Command): void {
  const command = program.command('status').description('show the addresses and how each resource is');
  addOutput(addAdmin(command)).action(async ({ admin, output }: AdminOption & OutputOption) => {
    const { adminClient } = await import('../client.ts');
    const { show } = await import('../output.ts');
    const client = adminClient(admin);
    const about = await client.get<About>('/api/about');
    const resources = await client.get<readonly Status[]>('/api/resources');
    const page = await pageOf(about, resources);
    await show(output, { ...about, resources }, { table: () => page, names: () => resources.map(nameOf) });
  });
}

async function pageOf(about: About, resources: readonly Status[]): Promise<string> {
  const { fields, table } = await import('../view/table.ts');
  const { age } = await import('../view/time.ts');
  const head = fields([
    ['Millrace', `${about.version}, process ${about.pid}, up for ${age(about.startedAt)}`],
    ['Events', about.dataUrl],
    ['Admin', about.adminUrl],
    ['Data', about.dataFolder],
  ]);
  const rows = resources.map((resource) => {
    const { status = 'Unknown', reason, message } = readyOf(resource) ?? {};
    const ready = { text: status, style: READY_STYLE[status] };
    return [
      resource.namespace,
      `${resource.kind.toLowerCase()}/${resource.name}`,
      ready,
      reason,
      resource.url,
      message,
    ];
  });
  return `${head}\n${table(['NAMESPACE', 'NAME', 'READY', 'REASON', 'URL', 'MESSAGE'], rows)}`;
}

const READY_STYLE = { True: 'green', False: 'red', Unknown: 'yellow' } as const;

function readyOf({ conditions }: Status): Condition | undefined {
  return conditions.find((it) => it.type === 'Ready');
}

function nameOf({ kind, namespace, name }: Status): string {
  return `${kind.toLowerCase()}/${namespace}/${name}`;
}
