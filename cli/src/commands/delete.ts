import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import { Option } from 'commander';
import type { Command } from 'commander';

import type { ApiClient } from '../api-client.ts';
import type { CommandFailure } from '../exit-codes.ts';
import { addDryRun, addNamespace, addSelector, dryRunText, waitingTime, yesOrNo } from '../objects/options.ts';
import type { DryRun } from '../objects/options.ts';
import type { Scope, Selected } from '../objects/selection.ts';
import { addAdmin, several } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface DeleteOptions extends AdminOption, Scope {
  readonly filename?: readonly string[];
  readonly all?: true;
  readonly dryRun: DryRun;
  readonly ignoreNotFound?: true;
  readonly timeout: number;
  readonly wait: boolean;
}

/** `millrace delete`: objects by name, by label, or those of manifests. */
export function register(program: Command): void {
  const command = program
    .command('delete')
    .description('delete objects, with what belongs to them')
    .argument('[kind]', 'a kind, several with commas between, or KIND/NAME')
    .argument('[name...]', 'these objects')
    .option(
      '-f, --filename <path>',
      'what this file or folder declares, or - for stdin; may be given several times',
      several,
    )
    .option('--all', 'all objects of the kind in the namespace')
    .option('--ignore-not-found', 'an object that is not there is no failure')
    .addOption(
      new Option('--wait [yes]', 'until they are gone; --wait=false only says that they are to go')
        .argParser(yesOrNo)
        .preset('true')
        .default(true),
    )
    .addOption(
      new Option('--timeout <time>', 'wait so long at most: 30s, 1m').argParser(waitingTime).default(30_000, '30s'),
    );
  addSelector(addDryRun(addNamespace(addAdmin(command)))).action(remove);
}

async function remove(kinds: string | undefined, names: readonly string[], options: DeleteOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { deleteObject } = await import('../objects/deletes.ts');
  const { resourceText } = await import('../objects/discovery.ts');
  const { missing } = await import('../objects/reads.ts');
  const { waitFor } = await import('../objects/wait-for.ts');
  const { print, tell } = await import('../output.ts');
  const { printable } = await import('../view/printable.ts');
  const client = apiClient(options.admin, (text) => tell(`Warning: ${text}`));
  const dryRun = options.dryRun !== 'none';
  const failures: CommandFailure[] = [];
  const going: { readonly one: Selected; readonly uid: string }[] = [];
  for (const { one, object } of await targets(client, [kinds, names], options)) {
    if (object === undefined) {
      if (options.ignoreNotFound !== true) failures.push(await missing(client, one));
      continue;
    }
    await deleteObject(client, one, object, { dryRun });
    const file = object.metadata.annotations?.['millrace.dev/declared-in'];
    if (file !== undefined) tell(printable(`${file} declares it, so it comes back: delete it there`));
    await print(`${printable(`${kindText(one)} "${object.metadata.name}"`)} deleted${dryRunText(options.dryRun)}\n`);
    going.push({ one, uid: object.metadata.uid });
  }
  if (options.wait && !dryRun) {
    const signal = AbortSignal.timeout(options.timeout);
    for (const { one, uid } of going) {
      const { isSo, object } = await waitFor(client, one, (it) => it?.metadata.uid !== uid, signal);
      if (isSo) continue;
      const { finalizers = [] } = object?.metadata ?? {};
      const why = finalizers.length === 0 ? '' : `: ${finalizers.join(', ')} must let it go (metadata.finalizers)`;
      const what = `${resourceText(one.type)} "${one.name}"`;
      failures.push(
        new CommandFailure('failure', printable(`${what} is not gone after ${options.timeout / 1_000} s${why}`)),
      );
    }
  }
  if (failures.length > 0) throw (await import('../objects/failures.ts')).together(failures);
}

function kindText({ type }: Selected): string {
  return `${type.kind.toLowerCase()}${type.group === '' ? '' : `.${type.group}`}`;
}

/** What is to be deleted; without an object where there is none of the name. */
async function targets(
  client: ApiClient,
  [kinds, names]: [string | undefined, readonly string[]],
  options: DeleteOptions,
): Promise<{ readonly one: Selected; readonly object: KubernetesObject | undefined }[]> {
  const { CommandFailure } = await import('../exit-codes.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { readObjects } = await import('../objects/manifests.ts');
  const { findObject, listObjects } = await import('../objects/reads.ts');
  const { selectionOf } = await import('../objects/selection.ts');
  const { filename, namespace, all, selector } = options;
  if ((filename === undefined) === (kinds === undefined)) {
    throw new CommandFailure('usage', 'say what to delete: a kind with names, -l or --all; or manifests with -f');
  }
  const discovery = await discover(client);
  const selected =
    filename === undefined
      ? selectionOf([kinds!, ...names], discovery, options)
      : readObjects(filename, { discovery, namespace });
  if (
    filename === undefined &&
    all !== true &&
    selector === undefined &&
    selected.some((it) => it.name === undefined)
  ) {
    throw new CommandFailure('usage', 'say which objects of the kind to delete: by name, with -l, or --all');
  }
  const found = selected.map(async (it) => {
    if (it.name !== undefined) return [{ one: it, object: await findObject(client, it) }];
    const { items } = await listObjects(client, it, { labelSelector: selector });
    return items.map((object) => {
      const { name, namespace: home } = object.metadata;
      return { one: { type: it.type, namespace: home, name }, object };
    });
  });
  return (await Promise.all(found)).flat();
}
