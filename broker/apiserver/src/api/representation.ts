import type { KubernetesObject } from '../objects/object.ts';
import { inVersion } from './addressing.ts';
import { tabulator } from './table.ts';
import type { RowObject } from './table.ts';
import type { ObjectTarget } from './request-path.ts';
import { badRequest } from './status.ts';

/** How a client wants to see objects: as they are, only their metadata, or as a table. */
export interface Representation {
  readonly contentType: string;
  one(object: KubernetesObject): object;
  list(objects: readonly KubernetesObject[], resourceVersion: string): object;
  /** The object of an event of a watch; `isFirst` for the first of the stream. */
  event(object: KubernetesObject, isFirst: boolean): object;
}

const JSON_TYPE = 'application/json';

/** Reads the Accept header; the first form in it that we know is taken, and plain JSON when there is none. */
export function representationOf(
  accept: string | undefined,
  target: ObjectTarget,
  query: URLSearchParams,
  now: () => number,
): Representation {
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (type !== JSON_TYPE) continue;
    const said = new Map(parameters.map((parameter) => parameter.split('=') as [string, string]));
    const [form, group, version = 'v1'] = [said.get('as'), said.get('g'), said.get('v')];
    if (form === undefined) return plain(target);
    if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    const contentType = `${JSON_TYPE};as=${form};v=${version};g=meta.k8s.io`;
    if (form === 'Table') return tables(target, { version, include: includeOf(query), now, contentType });
    if (form === 'PartialObjectMetadata' || form === 'PartialObjectMetadataList')
      return metadataOnly(version, contentType);
  }
  return plain(target);
}

function plain(target: ObjectTarget): Representation {
  const { kind, apiVersion } = target;
  return {
    contentType: JSON_TYPE,
    one: (object) => inVersion(object, target),
    list: (objects, resourceVersion) => ({
      apiVersion,
      kind: `${kind.kind}List`,
      metadata: { resourceVersion },
      items: objects.map((object) => inVersion(object, target)),
    }),
    event: (object) => inVersion(object, target),
  };
}

function tables(
  target: ObjectTarget,
  options: { version: string; include: RowObject; now: () => number; contentType: string },
): Representation {
  const { version, include, now, contentType } = options;
  const table = tabulator(target.kind, version, now);
  const shown = (object: KubernetesObject) => (include === 'Object' ? inVersion(object, target) : object);
  const show = (objects: readonly KubernetesObject[], resourceVersion: string, withColumns: boolean) =>
    table(objects.map(shown), { metadata: { resourceVersion }, include, withColumns });
  return {
    contentType,
    one: (object) => show([object], object.metadata.resourceVersion, true),
    list: (objects, resourceVersion) => show(objects, resourceVersion, true),
    event: (object, isFirst) => show([object], object.metadata.resourceVersion, isFirst),
  };
}

function metadataOnly(version: string, contentType: string): Representation {
  const apiVersion = `meta.k8s.io/${version}`;
  const one = ({ metadata }: KubernetesObject) => ({ kind: 'PartialObjectMetadata', apiVersion, metadata });
  return {
    contentType,
    one,
    list: (objects, resourceVersion) => ({
      kind: 'PartialObjectMetadataList',
      apiVersion,
      metadata: { resourceVersion },
      items: objects.map(one),
    }),
    event: one,
  };
}

function includeOf(query: URLSearchParams): RowObject {
  const include = query.get('includeObject') || 'Metadata';
  if (include === 'None' || include === 'Metadata' || include === 'Object') return include;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(include)}`);
}
