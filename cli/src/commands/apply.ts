import type { Command } from 'commander';

import type { ApiClient } from '../api-client.ts';
import type { CommandFailure } from '../exit-codes.ts';
import type { Discovery } from '../objects/discovery.ts';
import type { Manifest } from '../objects/manifests.ts';
import { addDryRun, addNamespace, addSelector, dryRunText } from '../objects/options.ts';
import type { DryRun } from '../objects/options.ts';
import { addAdmin, several } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface ApplyCommandOptions extends AdminOption {
  readonly filename: readonly string[];
  readonly namespace?: string;
  readonly dryRun: DryRun;
  readonly forceConflicts?: true;
  readonly prune?: true;
  readonly all?: true;
  readonly selector?: string;
}

/** `millrace apply`: what manifests declare is stored and runs, also when they are changed later. */
export function register(program: Command): void {
  const command = program
    .command('apply')
    .description('have what manifests declare, as they declare it')
    .requiredOption(
      '-f, --filename <path>',
      'manifest file or folder, or - for stdin; may be given several times',
      several,
    )
    .option('--server-side', 'the server merges; it always does')
    .option('--force-conflicts', 'take over fields that others have set')
    .option('--prune', 'delete what was applied before and is not declared any more; with --all or -l')
    .option('--all', 'with --prune: all that was applied in the namespaces of the manifests');
  addSelector(addDryRun(addNamespace(addAdmin(command), { all: false }))).action(apply);
}

async function apply(options: ApplyCommandOptions): Promise<void> {
  const { filename, namespace, dryRun } = options;
  const { apiClient } = await import('../api-client.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { applyManifest } = await import('../objects/apply.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { readObjects } = await import('../objects/manifests.ts');
  const { selectedText } = await import('../objects/selection.ts');
  const { refused, summaryOf } = await import('../objects/failures.ts');
  const { print, tell } = await import('../output.ts');
  const { printable } = await import('../view/printable.ts');
  if (options.prune === true && (options.all === true) === (options.selector !== undefined)) {
    throw new CommandFailure('usage', '--prune goes with --all, or with -l and a selector: say which objects may go');
  }
  if (options.prune !== true && (options.all ?? options.selector) !== undefined) {
    throw new CommandFailure('usage', '--all and -l say what --prune deletes: without it they mean nothing');
  }
  const client = apiClient(options.admin, (text) => tell(`Warning: ${text}`));
  const discovery = await discover(client);
  const manifests = readObjects(filename, { discovery, namespace });
  const failures: CommandFailure[] = [];
  for (const manifest of manifests) {
    try {
      const force = options.forceConflicts === true;
      const { outcome } = await applyManifest(client, manifest, { dryRun: dryRun !== 'none', force });
      await print(`${printable(selectedText(manifest))} ${outcome}${dryRunText(dryRun)}\n`);
    } catch (error) {
      failures.push(refused(manifest, error));
    }
  }
  // What could not be applied may be what keeps something from being in the way.
  if (failures.length > 0) throw summaryOf(failures, `${failures.length} of ${manifests.length} were refused`);
  if (options.prune === true) await prune(client, { discovery, manifests, options });
}

interface Pruned {
  readonly discovery: Discovery;
  readonly manifests: readonly Manifest[];
  readonly options: ApplyCommandOptions;
}

/** Deletes what this command has applied in these namespaces and the manifests do not declare. Namespaces stay. */
async function prune(client: ApiClient, { discovery, manifests, options }: Pruned): Promise<void> {
  const { isApplied } = await import('../objects/apply.ts');
  const { deleteObject } = await import('../objects/deletes.ts');
  const { nameText } = await import('../objects/discovery.ts');
  const { listObjects } = await import('../objects/reads.ts');
  const { print } = await import('../output.ts');
  const { printable } = await import('../view/printable.ts');
  const keyOf = ({ type, namespace, name }: Pick<Manifest, 'type' | 'namespace' | 'name'>) =>
    `${type.kind}.${type.group}/${namespace}/${name}`;
  const declared = new Set(manifests.map(keyOf));
  const namespaces = new Set(manifests.flatMap(({ namespace }) => namespace ?? []));
  for (const type of discovery.types.filter((it) => it.namespaced && it.verbs.includes('delete'))) {
    for (const namespace of namespaces) {
      const { items } = await listObjects(
        client,
        { type, namespace, name: undefined },
        { labelSelector: options.selector },
      );
      for (const object of items) {
        const { name, deletionTimestamp } = object.metadata;
        if (!isApplied(object) || deletionTimestamp !== undefined || declared.has(keyOf({ type, namespace, name })))
          continue;
        await deleteObject(client, { type }, object, { dryRun: options.dryRun !== 'none' });
        await print(`${printable(nameText(type, name))} pruned${dryRunText(options.dryRun)}\n`);
      }
    }
  }
}
