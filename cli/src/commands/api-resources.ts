import { Option } from 'commander';
import type { Command } from 'commander';

import { yesOrNo } from '../objects/options.ts';
import { addAdmin } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface KindsOptions extends AdminOption {
  readonly output: 'table' | 'wide' | 'name';
  readonly apiGroup?: string;
  readonly namespaced?: boolean;
}

/** `millrace api-resources`: which kinds there are. */
export function register(program: Command): void {
  const command = program
    .command('api-resources')
    .description('list the kinds, with their short names')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'wide', 'name']).default('table'))
    .option('--api-group <group>', 'only those of this group')
    .addOption(new Option('--namespaced <yes>', 'only those in namespaces, or the others').argParser(yesOrNo));
  addAdmin(command).action(list);
}

async function list({ admin, output, apiGroup, namespaced }: KindsOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { apiVersionOf, discover, resourceText } = await import('../objects/discovery.ts');
  const { print, tell } = await import('../output.ts');
  const { table } = await import('../view/table.ts');
  const { types } = await discover(apiClient(admin, (text) => tell(`Warning: ${text}`)));
  const shown = types.filter(
    (type) =>
      (apiGroup === undefined || type.group === apiGroup) &&
      (namespaced === undefined || type.namespaced === namespaced),
  );
  if (output === 'name') return print(shown.map((type) => `${resourceText(type)}\n`).join(''));
  const isWide = output === 'wide';
  const header = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND'].concat(
    isWide ? ['VERBS', 'CATEGORIES'] : [],
  );
  const rows = shown.map((type) => {
    const { plural, shortNames, namespaced: isInside, kind, verbs, categories } = type;
    return [plural, shortNames.join(','), apiVersionOf(type), String(isInside), kind].concat(
      isWide ? [verbs.join(','), categories.join(',')] : [],
    );
  });
  return print(table(header, rows));
}
