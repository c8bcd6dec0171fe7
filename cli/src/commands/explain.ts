import type { Command } from 'commander';

import { addAdmin } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface ExplainOptions extends AdminOption {
  readonly recursive?: true;
  readonly apiVersion?: string;
}

/** `millrace explain`: what the fields of a kind mean. */
export function register(program: Command): void {
  const command = program
    .command('explain')
    .description('explain a kind, or a field of it: trigger.spec.filters')
    .argument('<field>', 'KIND, or KIND and the names of fields with dots between')
    .option('--recursive', 'the fields with all that is in them')
    .option('--api-version <version>', 'as it is in this version: sources.knative.dev/v1beta1');
  addAdmin(command).action(explain);
}

async function explain(path: string, { admin, recursive, apiVersion }: ExplainOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { fieldOf, schemaOf } = await import('../objects/schemas.ts');
  const { print, tell } = await import('../output.ts');
  const { explainPage } = await import('../view/explain-page.ts');
  const { printable } = await import('../view/printable.ts');
  const client = apiClient(admin, (text) => tell(`Warning: ${text}`));
  const discovery = await discover(client);
  const [word = '', ...names] = path.split('.').filter((name) => name !== '');
  const preferred = discovery.one(word);
  const type = apiVersion === undefined ? preferred : discovery.find(apiVersion, preferred.kind);
  if (type === undefined) {
    throw new CommandFailure(
      'notFound',
      printable(`the server has no ${preferred.kind} in the version "${apiVersion}"`),
    );
  }
  const kind = await schemaOf(client, type);
  const schema = fieldOf(kind, names);
  await print(explainPage({ type, kind, names, schema, recursive: recursive === true }));
}
