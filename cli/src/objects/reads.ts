import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import { nearest } from '@millrace/resources/nearest';

import { ApiRefusal } from '../api-client.ts';
import type { ApiClient } from '../api-client.ts';
import type { Query } from '../client.ts';
import { CommandFailure } from '../exit-codes.ts';
import { printable } from '../view/printable.ts';
import { apiVersionOf, pathOf, resourceText } from './discovery.ts';
import type { Selected } from './selection.ts';

/** Objects as the server has put them into columns (Kubernetes API: Table). */
export interface ObjectTable {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[] | null;
  readonly rows: readonly {
    readonly cells: readonly unknown[];
    readonly object: Pick<KubernetesObject, 'metadata'>;
  }[];
  readonly metadata: ListMeta;
}

interface ListMeta {
  readonly resourceVersion?: string;
  readonly continue?: string;
}

/** Asks for a {@link ObjectTable}. */
export const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

const PAGE = 500;

/** All of the selected objects, and the version at which they were so. */
export async function listObjects(
  client: ApiClient,
  { type, namespace, name }: Selected,
  query: Query = {},
): Promise<{ readonly items: readonly KubernetesObject[]; readonly resourceVersion: string }> {
  const items: KubernetesObject[] = [];
  let resourceVersion = '';
  const path = pathOf(type, namespace);
  const only = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
  const pages = pagesOf<{ items: readonly KubernetesObject[]; metadata: ListMeta }>(client, path, {
    query: { ...query, ...only },
  });
  for await (const page of pages) {
    // Items of a list do not say what they are.
    items.push(
      ...page.items.map((it) => ({ ...it, apiVersion: it.apiVersion ?? apiVersionOf(type), kind: type.kind })),
    );
    resourceVersion = page.metadata.resourceVersion ?? '';
  }
  return { items, resourceVersion };
}

/** The same in columns. */
export async function listTable(
  client: ApiClient,
  { type, namespace, name }: Selected,
  query: Query = {},
): Promise<ObjectTable> {
  const rows: ObjectTable['rows'][number][] = [];
  let last: ObjectTable | undefined;
  const path = pathOf(type, namespace);
  const only = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
  for await (const page of pagesOf<ObjectTable>(client, path, { query: { ...query, ...only }, accept: AS_TABLE })) {
    rows.push(...page.rows);
    last = page;
  }
  return { ...last!, rows };
}

/** One object. Rejects with a {@link CommandFailure} that says what else there is when it is not there. */
export function getObject(client: ApiClient, selected: Selected): Promise<KubernetesObject> {
  return getOne<KubernetesObject>(client, selected);
}

/** A table of one row. */
export function getTable(client: ApiClient, selected: Selected, query: Query = {}): Promise<ObjectTable> {
  return getOne<ObjectTable>(client, selected, { accept: AS_TABLE, query });
}

/** The object, or undefined when there is none. */
export async function findObject(client: ApiClient, selected: Selected): Promise<KubernetesObject | undefined> {
  try {
    const { type, namespace, name } = selected;
    return (await client.send<KubernetesObject>({ path: pathOf(type, namespace, name) })).body;
  } catch (error) {
    if (error instanceof ApiRefusal && error.status.code === 404) return undefined;
    throw error;
  }
}

async function getOne<T>(
  client: ApiClient,
  selected: Selected,
  how: { readonly accept?: string; readonly query?: Query } = {},
): Promise<T> {
  const { type, namespace, name } = selected;
  try {
    return (await client.send<T>({ path: pathOf(type, namespace, name), ...how })).body;
  } catch (error) {
    if (error instanceof ApiRefusal && error.status.code === 404) throw await missing(client, selected);
    throw error;
  }
}

/** Says that an object is not there, and what was probably meant: a name like it, or another namespace. */
export async function missing(client: ApiClient, { type, namespace, name = '' }: Selected): Promise<CommandFailure> {
  const { items } = await listObjects(client, { type, namespace: undefined, name: undefined });
  const here = items.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  const elsewhere = items.find(({ metadata }) => metadata.name === name);
  const near = nearest(name, new Set(here.map(({ metadata }) => metadata.name)));
  const where = namespace === undefined ? '' : ` in the namespace "${namespace}"`;
  const hint =
    elsewhere !== undefined
      ? `there is one in the namespace "${elsewhere.metadata.namespace}": add -n ${elsewhere.metadata.namespace}`
      : near !== undefined
        ? `did you mean "${near}"?`
        : here.length === 0
          ? 'there are none'
          : `there are ${listed(here.map(({ metadata }) => metadata.name))}`;
  return new CommandFailure('notFound', printable(`${resourceText(type)} "${name}" not found${where}; ${hint}`));
}

const MOST_LISTED = 10;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).join(', ');
  return names.length > MOST_LISTED ? `${shown} and ${names.length - MOST_LISTED} more` : shown;
}

async function* pagesOf<T extends { readonly metadata: ListMeta }>(
  client: ApiClient,
  path: string,
  { query, accept }: { readonly query: Query; readonly accept?: string },
): AsyncGenerator<T> {
  let next: string | undefined;
  do {
    const request = { path, query: { ...query, limit: PAGE, continue: next }, ...(accept && { accept }) };
    const { body } = await client.send<T>(request);
    yield body;
    next = body.metadata.continue || undefined;
  } while (next !== undefined);
}
