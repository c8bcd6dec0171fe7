import type { Command } from 'commander';

import { CommandFailure } from '../../exit-codes.ts';
import type { AdminOption } from '../../options.ts';
import { programName } from '../../program-name.ts';
import { printable } from '../../view/printable.ts';

/** The argument that names a function. */
export const NAME = ['<name>', 'the function: its name, or namespace/name'] as const;

/** Where a function is looked for. */
export interface NamedOptions extends AdminOption {
  readonly namespace?: string;
}

/** Adds `-n`. Default: `default`. */
export function addNamespace(command: Command): Command {
  return command.option('-n, --namespace <namespace>', 'the namespace of the function (default: "default")');
}

/** Shows, after the options, how a command is called. */
export function addExamples(command: Command, examples: readonly string[]): void {
  command.addHelpText('after', () => `\nExamples:\n${examples.map((it) => `  ${programName()} ${it}\n`).join('')}`);
}

/** A function as it was asked for. */
export interface FunctionName {
  readonly namespace: string;
  readonly service: string;
  /** `namespace/service`. */
  readonly full: string;
  /** On the admin port. */
  readonly path: string;
}

/** Reads `name` and `namespace/name`. Throws a {@link CommandFailure} for what is neither, and for two namespaces. */
export function functionName(given: string, { namespace: asked }: { readonly namespace?: string }): FunctionName {
  const [, said, service] = /^(?:([^/]+)\/)?([^/]+)$/.exec(given) ?? [];
  if (service === undefined) {
    throw new CommandFailure('usage', printable(`expected the name of a function or namespace/name, got "${given}"`));
  }
  if (said !== undefined && asked !== undefined && said !== asked) {
    throw new CommandFailure(
      'usage',
      printable(`"${given}" is in the namespace ${said}, and --namespace says ${asked}`),
    );
  }
  const namespace = said ?? asked ?? 'default';
  const path = `/api/functions/${encodeURIComponent(namespace)}/${encodeURIComponent(service)}`;
  return { namespace, service, full: `${namespace}/${service}`, path };
}
