import type { Fault, Receipt } from '@millrace/resources/fault';
import type { Command } from 'commander';

import { addOutput, several } from '../options.ts';
import type { OutputOption } from '../options.ts';
import type { ReadManifests } from '../up/manifests.ts';

interface LintOptions extends OutputOption {
  readonly file?: readonly string[];
  readonly strict?: true;
}

/** `millrace lint`: what is wrong with manifests, without a running process. */
export function register(program: Command): void {
  const command = program
    .command('lint')
    .description('check manifests without starting anything')
    .option('-f, --file <path>', 'manifest file or folder; may be given several times (default: this folder)', several)
    .option('--strict', 'count as faults what Knative refuses and what cannot become ready');
  addOutput(command, ['table', 'json', 'yaml']).action(lint);
}

async function lint({ file = ['.'], strict, output }: LintOptions): Promise<void> {
  const { formatFault } = await import('@millrace/resources/fault');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { show, tell } = await import('../output.ts');
  const { printable } = await import('../view/printable.ts');
  const { readManifests } = await import('../up/manifests.ts');
  // With authentication: policies are written for who has it.
  const read = readManifests(file, 'http://127.0.0.1:8080', { strict: strict === true, authentication: {} });
  const broken = unready(read);
  // What is not run has been told already.
  const news = broken.filter(
    (it) => !read.receipts.some(({ resource, message }) => resource === it.resource && it.message.endsWith(message)),
  );
  const faults = [...read.faults, ...(strict === true ? broken.map(asFault) : [])];
  const receipts = [...read.receipts, ...(strict === true ? [] : news)];

  await show(
    output,
    { resources: read.declared.length, faults, receipts },
    {
      table: () => faults.map((fault) => `${printable(formatFault(fault))}\n`).join(''),
      names: () => [],
    },
  );
  for (const { place, resource, message } of receipts) {
    tell(printable(`${place.file}:${place.line}:${place.column} ${resource === '' ? '' : `${resource}: `}${message}`));
  }
  const summary = `${many(read.declared.length, 'resource')}, ${many(faults.length, 'fault')}, ${many(receipts.length, 'note')}`;
  if (faults.length > 0) throw new CommandFailure('invalid', summary);
  tell(summary);
}

/** What is well said and cannot work all the same, such as a Trigger of a Broker that is nowhere declared. */
function unready({ declared, plan }: ReadManifests): Receipt[] {
  return declared.flatMap(({ resource, place }) => {
    const { kind, metadata } = resource;
    const key = `${kind}/${metadata.namespace}/${metadata.name}`;
    const ready = plan.statuses.get(key)?.conditions.find((it) => it.type === 'Ready');
    if (ready?.status !== 'False') return [];
    return [{ place, resource: key, path: '', message: `will not be ready: ${ready.reason}: ${ready.message}` }];
  });
}

function asFault({ place, resource, message }: Receipt): Fault {
  return {
    place,
    path: '',
    message: `${resource}: ${message}`,
    expected: 'a resource that can become ready (--strict)',
    got: message,
  };
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
