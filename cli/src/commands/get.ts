import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { ApiClient } from '../api-client.ts';
import type { CommandFailure } from '../exit-codes.ts';
import type { ObjectTable } from '../objects/reads.ts';
import { addNamespace, addSelector } from '../objects/options.ts';
import type { Scope, Selected } from '../objects/selection.ts';
import { addAdmin } from '../options.ts';
import type { AdminOption } from '../options.ts';
import type { TableLook } from '../view/object-table.ts';

const FORMATS = ['table', 'wide', 'yaml', 'json', 'name'] as const;

interface GetOptions extends AdminOption, Scope {
  readonly output: string;
  readonly watch?: true;
  readonly fieldSelector?: string;
  readonly sortBy?: string;
  readonly showLabels?: true;
  readonly showManagedFields?: true;
  readonly headers: boolean;
  readonly ignoreNotFound?: true;
}

/** `millrace get`: objects of the API, in the columns that their kinds have. */
export function register(program: Command): void {
  const command = program
    .command('get')
    .description('show objects: brokers, triggers and all other kinds')
    .argument('<kind>', 'a kind, several with commas between, or KIND/NAME')
    .argument('[name...]', 'only these objects')
    .addOption(
      new Option('-o, --output <format>', `how to print: ${FORMATS.join(', ')} or jsonpath=TEMPLATE`)
        .argParser(formatOf)
        .default('table'),
    )
    .option('-w, --watch', 'go on with what changes')
    .option('--field-selector <selector>', 'only those with such fields: metadata.name=urgent')
    .option('--sort-by <path>', 'in the order of this field, each kind by itself: .metadata.creationTimestamp')
    .option('--show-labels', 'a column with the labels')
    .option('--show-managed-fields', 'in YAML and JSON also who has set which fields')
    .option('--no-headers', 'without the line of column names')
    .option('--ignore-not-found', 'say nothing of an object that is not there');
  addSelector(addNamespace(addAdmin(command))).action(get);
}

/** Refuses what is none of the formats. */
function formatOf(text: string): string {
  if ((FORMATS as readonly string[]).includes(text) || text.startsWith('jsonpath=')) return text;
  throw new InvalidArgumentError(`Expected ${FORMATS.join(', ')} or jsonpath=TEMPLATE.`);
}

async function get(kinds: string, names: readonly string[], options: GetOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { discover } = await import('../objects/discovery.ts');
  const { selectionOf } = await import('../objects/selection.ts');
  const { tell } = await import('../output.ts');
  const client = apiClient(options.admin, (text) => tell(`Warning: ${text}`));
  const selected = selectionOf([kinds, ...names], await discover(client), options);
  if (options.watch === true) return watch(client, selected, options);
  if (options.output === 'table' || options.output === 'wide') return tables(client, selected, options);
  return objects(client, selected, options);
}

async function tables(client: ApiClient, selected: readonly Selected[], options: GetOptions): Promise<void> {
  const { getTable, listTable } = await import('../objects/reads.ts');
  const { print, tell } = await import('../output.ts');
  const { tableWriter } = await import('../view/object-table.ts');
  const read = await readAll(selected, options, {
    one: (it) => getTable(client, it, options.sortBy === undefined ? {} : WHOLE),
    list: (it) => listTable(client, it, { ...queryOf(options), ...(options.sortBy !== undefined && WHOLE) }),
  });
  const { sorter } = await import('../objects/sorting.ts');
  const sort = sorter(options.sortBy);
  const byType = Map.groupBy(read.found, ({ selected: { type } }) => type);
  let printed = 0;
  for (const tablesOfType of byType.values()) {
    const rows = sort(
      tablesOfType.flatMap(({ value }) => value.rows),
      ({ object }) => object,
    );
    if (rows.length === 0) continue;
    const writer = tableWriter(lookOf(tablesOfType[0]!.selected, options, byType.size > 1));
    const gap = printed > 0 && options.headers ? '\n' : '';
    await print(gap + writer.write({ ...tablesOfType[0]!.value, rows }));
    printed += rows.length;
  }
  if (printed === 0 && read.failures.length === 0 && options.ignoreNotFound !== true) {
    const namespace = selected.find((it) => it.namespace !== undefined)?.namespace;
    tell(`No resources found${namespace === undefined ? '' : ` in ${namespace} namespace`}.`);
  }
  await fail(read.failures);
}

async function objects(client: ApiClient, selected: readonly Selected[], options: GetOptions): Promise<void> {
  const { getObject, listObjects } = await import('../objects/reads.ts');
  const { print } = await import('../output.ts');
  const { objectPrinter } = await import('../view/object-printer.ts');
  const { listOf } = await import('../view/object-text.ts');
  const toText = objectPrinter(options.output, options);
  const read = await readAll(selected, options, {
    one: async (it) => [await getObject(client, it)],
    list: async (it) => (await listObjects(client, it, queryOf(options))).items,
  });
  const { sorter } = await import('../objects/sorting.ts');
  const items = sorter(options.sortBy)(
    read.found.flatMap(({ value }) => value),
    (object) => object,
  );
  const isOne = selected.length === 1 && selected[0]!.name !== undefined;
  if (!isOne || items.length === 1) {
    const printed = options.output === 'name' ? items : [isOne ? items[0] : listOf(items)];
    for (const value of printed) await print(await toText(value));
  }
  await fail(read.failures);
}

async function watch(client: ApiClient, selected: readonly Selected[], options: GetOptions): Promise<void> {
  const { CommandFailure } = await import('../exit-codes.ts');
  const { AS_TABLE, getObject } = await import('../objects/reads.ts');
  const { changes } = await import('../objects/changes.ts');
  const { print } = await import('../output.ts');
  const { objectPrinter } = await import('../view/object-printer.ts');
  const [only, ...others] = selected;
  if (only === undefined || others.length > 0) {
    throw new CommandFailure('usage', 'with -w, name one kind, or one object of it');
  }
  // What is not there, or was meant otherwise, is told at once and not waited for.
  if (only.name !== undefined) await getObject(client, only);
  const query = queryOf(options);
  if (options.output === 'table' || options.output === 'wide') {
    const { tableWriter } = await import('../view/object-table.ts');
    const writer = tableWriter(lookOf(only, options, false));
    for await (const { object } of changes<ObjectTable>(client, only, { query, accept: AS_TABLE })) {
      await print(writer.write(object));
    }
    return;
  }
  const toText = objectPrinter(options.output, options);
  for await (const { object } of changes<KubernetesObject>(client, only, { query })) {
    await print(`${options.output === 'yaml' ? '---\n' : ''}${await toText(object)}`);
  }
}

interface Read<T> {
  readonly found: readonly { readonly selected: Selected; readonly value: T }[];
  readonly failures: readonly CommandFailure[];
}

/** Reads what is selected; an object that is not there does not keep the others from being shown. */
async function readAll<T>(
  selected: readonly Selected[],
  { ignoreNotFound }: GetOptions,
  read: { one(it: Selected): Promise<T>; list(it: Selected): Promise<T> },
): Promise<Read<T>> {
  const { CommandFailure, EXIT } = await import('../exit-codes.ts');
  const found: { selected: Selected; value: T }[] = [];
  const failures: CommandFailure[] = [];
  for (const it of selected) {
    try {
      found.push({ selected: it, value: await (it.name === undefined ? read.list(it) : read.one(it)) });
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode !== EXIT.notFound) throw error;
      if (ignoreNotFound !== true) failures.push(error);
    }
  }
  return { found, failures };
}

async function fail(failures: readonly CommandFailure[]): Promise<void> {
  if (failures.length > 0) throw (await import('../objects/failures.ts')).together(failures);
}

/** Rows with all of their objects. */
const WHOLE = { includeObject: 'Object' };

function queryOf({ selector, fieldSelector }: GetOptions) {
  return { labelSelector: selector, fieldSelector };
}

function lookOf({ type }: Selected, options: GetOptions, isOneOfSeveral: boolean): TableLook {
  const group = type.group === '' ? '' : `.${type.group}`;
  return {
    wide: options.output === 'wide',
    withNamespace: type.namespaced && options.allNamespaces === true,
    withLabels: options.showLabels === true,
    withHeader: options.headers,
    prefix: isOneOfSeveral ? `${type.kind.toLowerCase()}${group}/` : '',
  };
}
