import { AGE, text } from './columns.ts';
import type { Column, JsonSchema, MergeKeys, ServedKind } from './kind.ts';
import { METADATA_MERGE_KEYS } from './metadata-schema.ts';
import { schemaFor } from './schemas.ts';

/** The core kinds (v1) that Knative's users handle beside its own, with the columns that Kubernetes shows of them. */
export function coreKinds(): ServedKind[] {
  return [
    core('Namespace', {
      namespaced: false,
      shortNames: ['ns'],
      columns: [text('Status', '.status.phase'), AGE],
      hasStatus: true,
      selectable: ['status.phase'],
      mergeKeys: { 'spec.finalizers': '' },
      properties: {
        spec: { type: 'object', properties: { finalizers: { type: 'array', items: { type: 'string' } } } },
        status: { type: 'object', properties: {} },
      },
    }),
    core('Secret', { columns: [text('Type', '.type'), data(), AGE], selectable: ['type'] }),
    core('ConfigMap', { shortNames: ['cm'], columns: [data(), AGE] }),
    core('ServiceAccount', {
      shortNames: ['sa'],
      columns: [{ name: 'Secrets', type: 'integer', value: (account) => countOf(account, 'secrets') }, AGE],
      mergeKeys: { secrets: 'name', imagePullSecrets: 'name' },
      properties: {
        secrets: { type: 'array', items: { type: 'object' } },
        imagePullSecrets: { type: 'array', items: { type: 'object' } },
        automountServiceAccountToken: { type: 'boolean' },
      },
    }),
    core('Pod', {
      shortNames: ['po'],
      columns: [
        { name: 'Ready', type: 'string', value: readyContainers },
        text('Status', '.status.phase'),
        { name: 'Restarts', type: 'integer', value: () => 0 },
        AGE,
      ],
      categories: ['all'],
      hasStatus: true,
      selectable: ['status.phase', 'spec.nodeName'],
      properties: { spec: ANY, status: ANY },
    }),
    core('Service', {
      shortNames: ['svc'],
      columns: [
        text('Type', '.spec.type'),
        text('Cluster-IP', '.spec.clusterIP'),
        text('External-IP', '.spec.externalName'),
        AGE,
      ],
      hasStatus: true,
      properties: { spec: ANY, status: ANY },
    }),
    core('Event', {
      shortNames: ['ev'],
      columns: [
        { name: 'Last Seen', type: 'date', value: lastSeen },
        text('Type', '.type'),
        text('Reason', '.reason'),
        { name: 'Object', type: 'string', value: involved },
        text('Source', '.source.component', 1),
        text('Message', '.message'),
        { name: 'First Seen', type: 'date', value: '.firstTimestamp', priority: 1 },
        { name: 'Count', type: 'integer', value: '.count', priority: 1 },
      ],
      selectable: EVENT_FIELDS,
      properties: EVENT_PROPERTIES,
    }),
  ];
}

interface Row {
  readonly columns: readonly Column[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Default: true. */
  readonly namespaced?: boolean;
  /** Default: false. */
  readonly hasStatus?: boolean;
  readonly selectable?: readonly string[];
  readonly mergeKeys?: MergeKeys;
  /** Its fields, where `@millrace/resources` does not have the kind. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

function core(kind: string, row: Row): ServedKind {
  const singular = kind.toLowerCase();
  return {
    group: '',
    kind,
    singular,
    plural: `${singular}s`,
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    namespaced: row.namespaced ?? true,
    versions: [{ name: 'v1' }],
    storage: 'v1',
    columns: row.columns,
    schema: schemaFor('', 'v1', kind, row.properties),
    hasStatus: row.hasStatus ?? false,
    selectable: row.selectable ?? [],
    mergeKeys: { ...METADATA_MERGE_KEYS, ...row.mergeKeys },
  };
}

/** How many entries there are; what they hold is never shown. */
function data(): Column {
  return {
    name: 'Data',
    type: 'integer',
    value: (object) => countOf(object, 'data') + countOf(object, 'binaryData'),
  };
}

function countOf(object: object, field: string): number {
  return Object.keys((object as Record<string, object | undefined>)[field] ?? {}).length;
}

/** `1/1`: those that take calls, of those that there are. */
function readyContainers(pod: object): string {
  const { status } = pod as { status?: { containerStatuses?: readonly { ready?: boolean }[] } };
  const containers = status?.containerStatuses ?? [];
  return `${containers.filter((it) => it.ready === true).length}/${containers.length}`;
}

interface EventFields {
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
  readonly firstTimestamp?: string;
  readonly metadata: { readonly creationTimestamp?: string };
  readonly involvedObject?: { readonly kind?: string; readonly name?: string };
}

function lastSeen(object: object): unknown {
  const { lastTimestamp, eventTime, firstTimestamp, metadata } = object as EventFields;
  return lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp;
}

function involved(object: object): string {
  const { kind = '', name = '' } = (object as EventFields).involvedObject ?? {};
  return `${kind.toLowerCase()}/${name}`;
}

const EVENT_FIELDS = [
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
    (field) => `involvedObject.${field}`,
  ),
  'reason',
  'reportingComponent',
  'source',
  'type',
];

const TEXT: JsonSchema = { type: 'string' };
const ANY: JsonSchema = { type: 'object', properties: {} };

const EVENT_PROPERTIES: Readonly<Record<string, JsonSchema>> = {
  involvedObject: ANY,
  reason: { ...TEXT, description: 'Why, in one word.' },
  message: { ...TEXT, description: 'What a person should know.' },
  source: ANY,
  firstTimestamp: TEXT,
  lastTimestamp: TEXT,
  count: { type: 'integer', format: 'int32' },
  type: { ...TEXT, description: 'Normal or Warning.' },
  eventTime: TEXT,
  series: ANY,
  action: TEXT,
  related: ANY,
  reportingComponent: TEXT,
  reportingInstance: TEXT,
};
