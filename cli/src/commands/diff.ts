import type { Command } from 'commander';

import type { CommandFailure } from '../exit-codes.ts';
import type { Applied } from '../objects/apply.ts';
import type { Manifest } from '../objects/manifests.ts';
import { addNamespace } from '../objects/options.ts';
import { addAdmin, several } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface DiffOptions extends AdminOption {
  readonly filename: readonly string[];
  readonly namespace?: string;
}

/** `millrace diff`: what `apply` would change. */
export function register(program: Command): void {
  const command = program
    .command('diff')
    .description('show what apply would change; exit code 1 when that is something')
    .requiredOption(
      '-f, --filename <path>',
      'manifest file or folder, or - for stdin; may be given several times',
      several,
    );
  addNamespace(addAdmin(command), { all: false }).action(diff);
}

async function diff({ admin, filename, namespace }: DiffOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { EXIT } = await import('../exit-codes.ts');
  const { applyManifest } = await import('../objects/apply.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { readObjects } = await import('../objects/manifests.ts');
  const { refused, summaryOf } = await import('../objects/failures.ts');
  const { print, tell } = await import('../output.ts');
  const client = apiClient(admin, (text) => tell(`Warning: ${text}`));
  const manifests = readObjects(filename, { discovery: await discover(client), namespace });
  const failures: CommandFailure[] = [];
  for (const manifest of manifests) {
    try {
      // Nothing is taken over here, so what others have set is no reason to show nothing.
      const applied = await applyManifest(client, manifest, { dryRun: true, force: true });
      const text = await differences(manifest, applied);
      if (text !== '') process.exitCode = EXIT.failure;
      await print(text);
    } catch (error) {
      failures.push(refused(manifest, error));
    }
  }
  if (failures.length > 0) throw summaryOf(failures, `${failures.length} of ${manifests.length} would be refused`);
}

async function differences(manifest: Manifest, { before, after }: Applied): Promise<string> {
  const { apiVersionOf } = await import('../objects/discovery.ts');
  const { masked } = await import('../objects/masks.ts');
  const { withoutHistory } = await import('../objects/metadata.ts');
  const { paint } = await import('../output.ts');
  const { lineDiff } = await import('../view/line-diff.ts');
  const { objectYaml } = await import('../view/object-text.ts');
  const { printable } = await import('../view/printable.ts');
  const [was, is] = masked(before, after);
  const hunks = lineDiff(
    was === undefined ? '' : await objectYaml(withoutHistory(was)),
    await objectYaml(withoutHistory(is)),
  );
  if (hunks === '') return '';
  const place = [apiVersionOf(manifest.type), manifest.type.kind, manifest.namespace ?? '', manifest.name];
  const name = printable(place.join('.').replaceAll('/', '.'));
  const coloured = hunks.replaceAll(/^[-+@].*/gm, (line) => paint(COLOURS[line[0]!]!, line));
  return `--- LIVE/${name}\n+++ MERGED/${name}\n${coloured}`;
}

const COLOURS: Readonly<Record<string, 'red' | 'green' | 'cyan'>> = { '-': 'red', '+': 'green', '@': 'cyan' };
