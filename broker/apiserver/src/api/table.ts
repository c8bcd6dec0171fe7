import type { Column, ServedKind } from '../registry/kind.ts';
import type { KubernetesObject } from '../objects/object.ts';
import { showAge } from './age.ts';
import { compilePath } from './json-path.ts';
import type { Lookup } from './json-path.ts';

/** What a client wants beside the cells of a row. */
export type RowObject = 'None' | 'Metadata' | 'Object';

/** Objects as a table (Kubernetes API: Table, meta.k8s.io v1). */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: object;
  readonly columnDefinitions: readonly object[] | null;
  readonly rows: readonly object[];
}

/** Makes the tables of one kind. `withColumns` false: only the rows, as the later events of a watch have it. */
export type Tabulate = (
  objects: readonly KubernetesObject[],
  options: { readonly metadata: object; readonly include: RowObject; readonly withColumns: boolean },
) => Table;

/** `version` is that of the table, `v1` or `v1beta1`; `now` is for the ages. */
export function tabulator(kind: ServedKind, version: string, now: () => number): Tabulate {
  const apiVersion = `meta.k8s.io/${version}`;
  const definitions = [
    { name: 'Name', type: 'string', format: 'name', description: 'Name of the object.', priority: 0 },
    ...kind.columns.map(definitionOf),
  ];
  const cells = kind.columns.map(cellOf);
  const rowOf = (object: KubernetesObject, include: RowObject) => ({
    cells: [object.metadata.name, ...cells.map((cell) => cell(object, now()))],
    ...(include === 'Object' && { object }),
    ...(include === 'Metadata' && {
      object: { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata },
    }),
  });
  return (objects, { metadata, include, withColumns }) => ({
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: withColumns ? definitions : null,
    rows: objects.map((object) => rowOf(object, include)),
  });
}

function definitionOf({ name, type, priority = 0, value }: Column): object {
  // Ages are texts by the time they are sent; kubectl orders by what it is told here.
  const description = typeof value === 'string' ? value : `${name} of the object.`;
  return { name, type, format: '', description, priority };
}

function cellOf({ type, value }: Column): (object: KubernetesObject, now: number) => unknown {
  const lookup: Lookup = typeof value === 'string' ? compilePath(value) : (object) => value(object as object);
  if (type === 'date') return (object, now) => ageSince(lookup(object), now);
  if (type !== 'string') return (object) => lookup(object) ?? null;
  return (object) => {
    const found = lookup(object);
    if (found === undefined || found === null) return null;
    return typeof found === 'string' ? found : JSON.stringify(found);
  };
}

function ageSince(time: unknown, now: number): string {
  return typeof time === 'string' ? showAge(now - Date.parse(time)) : '<unknown>';
}
