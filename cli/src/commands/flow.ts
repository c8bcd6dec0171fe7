import type { Graph } from '@millrace/bus/plan/graph';
import { Option } from 'commander';
import type { Command } from 'commander';

import { addAdmin, several } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface GraphOptions extends AdminOption {
  readonly file?: readonly string[];
  readonly output: 'text' | 'mermaid' | 'dot' | 'json';
}

/** `millrace flow`: how what is declared hangs together. */
export function register(program: Command): void {
  const flow = program.command('flow').description('look at how brokers, channels, flows and functions hang together');
  const drawing = flow
    .command('graph')
    .description('draw what is declared: who takes whose events, and where replies and dead letters go')
    .argument('[name]', 'only what is around this broker, channel, source or flow')
    .option(
      '-f, --file <path>',
      'draw manifests, without a running process: a file or folder; may be given several times',
      several,
    )
    .addOption(
      new Option('-o, --output <format>', 'how to draw').choices(['text', 'mermaid', 'dot', 'json']).default('text'),
    );
  addAdmin(drawing).action(graph);
}

async function graph(name: string | undefined, { admin, file, output }: GraphOptions): Promise<void> {
  const { print, show } = await import('../output.ts');
  const all = file === undefined ? await running(admin) : await declared(file);
  const drawn = name === undefined ? all : await around(all, name);
  switch (output) {
    case 'json':
      return show('json', drawn, { table: () => '', names: () => [] });
    case 'mermaid':
      return print((await import('../view/flow-mermaid.ts')).flowMermaid(drawn));
    case 'dot':
      return print((await import('../view/flow-dot.ts')).flowDot(drawn));
    case 'text':
      return print((await import('../view/flow-text.ts')).flowText(drawn));
  }
}

async function running(admin: AdminOption['admin']): Promise<Graph> {
  const { adminClient } = await import('../client.ts');
  return adminClient(admin).get<Graph>('/api/graph');
}

/** What cannot work is not drawn as if it could. */
async function declared(paths: readonly string[]): Promise<Graph> {
  const { graphOf } = await import('@millrace/bus/plan/graph');
  const { formatFault } = await import('@millrace/resources/fault');
  const { readManifests } = await import('../up/manifests.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { printable } = await import('../view/printable.ts');
  const { plan, faults } = readManifests(paths, 'http://127.0.0.1:8080');
  if (faults.length > 0) {
    const lines = faults.map((it) => `  ${printable(formatFault(it))}`);
    throw new CommandFailure('invalid', `there are faults in the manifests:\n${lines.join('\n')}`);
  }
  return graphOf(plan);
}

/** `research` and `default/research` stand for `sequence/default/research` as long as they can mean nothing else. */
async function around(all: Graph, name: string): Promise<Graph> {
  const { graphAround, isPlace } = await import('../view/flow-nodes.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { printable } = await import('../view/printable.ts');
  const places = all.nodes.filter(
    (it) => (isPlace(it) && it.flow === undefined) || all.nodes.some(({ flow }) => flow === it.id),
  );
  const exact = places.filter(({ id }) => id === name);
  const meant = exact.length > 0 ? exact : places.filter(({ id }) => id.endsWith(`/${name}`));
  const [only, ...others] = meant.map(({ id }) => id);
  if (only === undefined) {
    const list = places.map(({ id }) => id).join(', ');
    throw new CommandFailure(
      'notFound',
      printable(`there is no broker, channel, source or flow "${name}"; there are ${list}`),
    );
  }
  if (others.length > 0) {
    throw new CommandFailure('usage', printable(`"${name}" may be any of ${[only, ...others].join(', ')}: say which`));
  }
  return graphAround(all, only);
}
