import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { CommandFailure } from '../exit-codes.ts';
import { addNamespace, addSelector, waitingTime } from '../objects/options.ts';
import type { Scope, Selected } from '../objects/selection.ts';
import type { Awaited, Waited } from '../objects/wait-for.ts';
import { addAdmin } from '../options.ts';
import type { AdminOption } from '../options.ts';

/** What is waited for, as `--for` says it. */
type Aim =
  | { readonly kind: 'delete' | 'create' }
  | { readonly kind: 'condition'; readonly type: string; readonly status: string }
  | { readonly kind: 'jsonpath'; readonly path: string; readonly value: string | undefined };

interface WaitOptions extends AdminOption, Scope {
  readonly for: Aim;
  readonly all?: true;
  readonly timeout: number;
}

/** `millrace wait`: until objects are as they should be. */
export function register(program: Command): void {
  const command = program
    .command('wait')
    .description('wait until objects are ready, or gone')
    .argument('<kind>', 'KIND/NAME, or a kind')
    .argument('[name...]', 'further ones, or the names of the kind')
    .addOption(
      new Option('--for <what>', 'condition=Ready, condition=Ready=False, jsonpath={.path}=value, create or delete')
        .argParser(aimOf)
        .makeOptionMandatory(),
    )
    .option('--all', 'all objects of the kind in the namespace')
    .addOption(
      new Option('--timeout <time>', 'so long at most, 0 looks once').argParser(waitingTime).default(30_000, '30s'),
    );
  addSelector(addNamespace(addAdmin(command))).action(wait);
}

function aimOf(text: string): Aim {
  const [, kind = '', first = '', second] = /^(delete|create)$|^$/i.test(text)
    ? ['', text.toLowerCase()]
    : (/^(condition)=([^=]+)(?:=(.+))?$/.exec(text) ?? []);
  if (kind === 'delete' || kind === 'create') return { kind };
  if (kind === 'condition') return { kind, type: first, status: second ?? 'True' };
  const [, path, value] = /^jsonpath=('?\{[^]*?\}'?)(?:=([^]*))?$/.exec(text) ?? [];
  if (path !== undefined) return { kind: 'jsonpath', path: path.replaceAll("'", ''), value };
  throw new InvalidArgumentError('Expected condition=TYPE[=STATUS], jsonpath={.path}[=VALUE], create or delete.');
}

async function wait(kind: string, names: readonly string[], options: WaitOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { missing, listObjects } = await import('../objects/reads.ts');
  const { selectedText, selectionOf } = await import('../objects/selection.ts');
  const { waitFor } = await import('../objects/wait-for.ts');
  const { print, tell } = await import('../output.ts');
  const { printable } = await import('../view/printable.ts');
  const aim = options.for;
  const client = apiClient(options.admin, (text) => tell(`Warning: ${text}`));
  const selected = selectionOf([kind, ...names], await discover(client), options);
  if (selected.some(({ name }) => name === undefined) && options.all !== true && options.selector === undefined) {
    throw new CommandFailure('usage', 'say which objects of the kind: by name, with -l, or --all');
  }
  const listed = selected.map(async (it): Promise<Selected[]> => {
    if (it.name !== undefined) return [it];
    const { items } = await listObjects(client, it, { labelSelector: options.selector });
    return items.map(({ metadata: { name, namespace } }) => ({ type: it.type, name, namespace }));
  });
  const objects = (await Promise.all(listed)).flat();
  if (objects.length === 0 && aim.kind !== 'delete') throw new CommandFailure('notFound', 'there are no such objects');

  const signal = options.timeout === 0 ? AbortSignal.abort() : AbortSignal.timeout(options.timeout);
  const isSo = await testOf(aim);
  const failures: CommandFailure[] = [];
  for (const one of objects) {
    let isThere = true;
    const look: Awaited = (object) => {
      isThere = object !== undefined;
      // Only `create` and `delete` make sense of an object that is not there.
      return isSo(object) || (!isThere && aim.kind !== 'create');
    };
    const waited = await waitFor(client, one, look, signal);
    if (!isThere && aim.kind !== 'delete') failures.push(await missing(client, one));
    else if (!waited.isSo) failures.push(await timedOut(one, waited, aim));
    else
      await print(
        `${printable(selectedText(one))} ${aim.kind === 'delete' ? 'deleted' : aim.kind === 'create' ? 'created' : 'condition met'}\n`,
      );
  }
  if (failures.length > 0) throw (await import('../objects/failures.ts')).together(failures);
}

async function testOf(aim: Aim): Promise<Awaited> {
  const { hasCondition } = await import('../objects/wait-for.ts');
  switch (aim.kind) {
    case 'delete':
      return (object) => object === undefined;
    case 'create':
      return (object) => object !== undefined;
    case 'condition':
      return hasCondition(aim.type, aim.status);
    case 'jsonpath': {
      const { valuesAt } = await import('../view/json-path-template.ts');
      const values = valuesAt(aim.path);
      return (object) => {
        const found = object === undefined ? [] : values(object);
        return aim.value === undefined ? found.length > 0 : found.some((value) => String(value) === aim.value);
      };
    }
  }
}

async function timedOut({ type, name }: Selected, { object }: Waited, aim: Aim): Promise<CommandFailure> {
  const { CommandFailure } = await import('../exit-codes.ts');
  const { conditionText } = await import('../objects/wait-for.ts');
  const { printable } = await import('../view/printable.ts');
  const how = aim.kind === 'condition' ? `: ${conditionText(object, aim.type)}` : '';
  return new CommandFailure(
    'failure',
    printable(`timed out waiting for the condition on ${type.plural}/${name}${how}`),
  );
}
