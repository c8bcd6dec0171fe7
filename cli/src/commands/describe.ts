import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import type { Command } from 'commander';

import type { ApiClient } from '../api-client.ts';
import type { CommandFailure } from '../exit-codes.ts';
import { addNamespace, addSelector } from '../objects/options.ts';
import type { Scope, Selected } from '../objects/selection.ts';
import { addAdmin } from '../options.ts';
import type { AdminOption } from '../options.ts';

/** `millrace describe`: objects in full, with what happened to them. */
export function register(program: Command): void {
  const command = program
    .command('describe')
    .description('show objects in full, and what happened to them')
    .argument('<kind>', 'a kind, several with commas between, or KIND/NAME')
    .argument('[name...]', 'only these objects, or those whose names begin so');
  addSelector(addNamespace(addAdmin(command))).action(describe);
}

async function describe(kinds: string, names: readonly string[], options: AdminOption & Scope): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { missing } = await import('../objects/reads.ts');
  const { selectionOf } = await import('../objects/selection.ts');
  const { print, tell } = await import('../output.ts');
  const { describePage } = await import('../view/describe-page.ts');
  const client = apiClient(options.admin, (text) => tell(`Warning: ${text}`));
  const discovery = await discover(client);
  const selected = selectionOf([kinds, ...names], discovery, options);
  const failures: CommandFailure[] = [];
  let shown = 0;
  for (const one of selected) {
    const objects = await meant(client, one, options);
    if (objects.length === 0 && one.name !== undefined) failures.push(await missing(client, one));
    for (const object of objects) {
      const events = await eventsOf(client, discovery.named('events')[0]!, object);
      await print(`${shown === 0 ? '' : '\n\n'}${describePage(object, events)}`);
      shown += 1;
    }
  }
  if (failures.length > 0) throw (await import('../objects/failures.ts')).together(failures);
  if (shown === 0) tell('No resources found.');
}

/** The object of the name; else those whose names begin with it. */
async function meant(client: ApiClient, one: Selected, { selector }: Scope): Promise<readonly KubernetesObject[]> {
  const { findObject, listObjects } = await import('../objects/reads.ts');
  const { name } = one;
  const exact = name === undefined ? undefined : await findObject(client, one);
  if (exact !== undefined) return [exact];
  const { items } = await listObjects(client, { ...one, name: undefined }, { labelSelector: selector });
  return items.filter(({ metadata }) => name === undefined || metadata.name.startsWith(name));
}

async function eventsOf(
  client: ApiClient,
  type: Selected['type'],
  { kind, metadata: { name, namespace, uid } }: KubernetesObject,
): Promise<readonly KubernetesObject[]> {
  const { listObjects } = await import('../objects/reads.ts');
  const about = { 'involvedObject.kind': kind, 'involvedObject.name': name, 'involvedObject.uid': uid };
  const fieldSelector = Object.entries(about)
    .map(([field, value]) => `${field}=${value}`)
    .join(',');
  return (await listObjects(client, { type, namespace: namespace ?? 'default', name: undefined }, { fieldSelector }))
    .items;
}
