import { createHash } from 'node:crypto';

import { apiVersionOf } from '../registry/kind.ts';
import type { JsonSchema, ServedKind } from '../registry/kind.ts';
import type { Registry } from '../registry/registry.ts';

/** OpenAPI 3.0 documents, one for each group and version, as `kubectl explain` and the validation of kubectl read them. */
export interface OpenApi {
  /** `/openapi/v3`: where the documents are; the address of each changes with it. */
  index(): object;
  /** `api/v1`, `apis/eventing.knative.dev/v1`: the JSON text; undefined when there is none. */
  document(path: string): string | undefined;
}

/** The documents of all that is served. They are made when they are first asked for. */
export function openApi({ kinds, groups }: Registry): OpenApi {
  const paths = new Map<string, { group: string; version: string }>();
  for (const [group, versions] of groups) {
    for (const version of versions) paths.set(rootOf(group, version).slice(1), { group, version });
  }
  const made = new Map<string, string>();
  const document = (path: string): string | undefined => {
    const place = paths.get(path);
    if (place === undefined) return undefined;
    const text = made.get(path) ?? JSON.stringify(documentOf(kinds, place.group, place.version));
    made.set(path, text);
    return text;
  };
  return {
    document,
    index() {
      const entries = [...paths.keys()].map((path) => {
        const hash = createHash('sha256').update(document(path)!).digest('hex').slice(0, 32);
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      });
      return { paths: Object.fromEntries(entries) as object };
    },
  };
}

function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

function documentOf(kinds: readonly ServedKind[], group: string, version: string): object {
  const served = kinds.filter((kind) => kind.group === group && kind.versions.some(({ name }) => name === version));
  return {
    openapi: '3.0.0',
    info: { title: 'Millrace', version: apiVersionOf({ group }, version) },
    paths: Object.fromEntries(served.flatMap((kind) => pathsOf(kind, version))),
    components: { schemas: Object.assign({}, ...served.map((kind) => schemasOf(kind, version))) as object },
  };
}

const parameter = (name: string, description: string) => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', uniqueItems: true },
});

// kubectl leaves validation to a server whose PATCH names fieldValidation, and asks for dry runs where dryRun is named.
const WRITES = [
  parameter('dryRun', 'All: nothing is stored.'),
  parameter('fieldManager', 'Who writes.'),
  parameter('fieldValidation', 'What becomes of unknown fields: Ignore, Warn or Strict.'),
];

function pathsOf(kind: ServedKind, version: string): [string, object][] {
  const { group, plural, namespaced } = kind;
  const gvk = { group, version, kind: kind.kind };
  const schema = { $ref: `#/components/schemas/${schemaName(kind, version)}` };
  const content = { 'application/json': { schema } };
  const operation = (action: string, parameters: object[], body?: object) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    parameters,
    ...(body !== undefined && { requestBody: { content: body } }),
    responses: { 200: { description: 'OK', content } },
  });
  const base = `${rootOf(group, version)}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const patch = Object.fromEntries(PATCH_TYPES.map((type) => [type, { schema: { type: 'object' } }]));
  return [
    [base, { get: operation('list', []), post: operation('post', WRITES, content) }],
    [
      `${base}/{name}`,
      {
        get: operation('get', []),
        put: operation('put', WRITES, content),
        patch: operation('patch', [...WRITES, parameter('force', 'Take over fields that others manage.')], patch),
        delete: operation('delete', [parameter('dryRun', 'All: nothing is stored.')]),
      },
    ],
  ];
}

const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];

function schemaName({ group, kind }: ServedKind, version: string): string {
  const home = group === '' ? 'io.k8s.api.core' : group.split('.').toReversed().join('.');
  return `${home}.${version}.${kind}`;
}

function schemasOf(kind: ServedKind, version: string): Record<string, object> {
  const name = schemaName(kind, version);
  const gvk = [{ group: kind.group, version, kind: kind.kind }];
  const parts = Object.entries(kind.schema.$defs ?? {}).map(([part, schema]) => [
    `${name}.${part}`,
    publish(schema, name),
  ]);
  return {
    [name]: { ...publish(kind.schema, name), 'x-kubernetes-group-version-kind': gvk },
    ...Object.fromEntries(parts),
  };
}

/** In the words of OpenAPI 3.0: no `const`, no `$defs`, none of ours; what is `expected` is how it is described. */
function publish(schema: JsonSchema, name: string): object {
  const { $ref, properties, items, additionalProperties, const: only, expected, defaulted } = schema;
  if ($ref !== undefined) return { $ref: $ref.replace('#/$defs/', `#/components/schemas/${name}.`) };
  const kept = Object.fromEntries(KEPT.flatMap((word) => (schema[word] === undefined ? [] : [[word, schema[word]]])));
  const description =
    schema.description ?? [expected, defaulted && `Default: ${defaulted}.`].filter(Boolean).join('. ');
  // Of several types OpenAPI 3.0 knows nothing.
  const type = Array.isArray(schema.type)
    ? undefined
    : (schema.type ?? typeOf(schema.enum ?? (only === undefined ? undefined : [only])));
  const isOpen = type === undefined || (type === 'object' && Object.keys(properties ?? {}).length === 0);
  return {
    ...kept,
    ...(type !== undefined && { type }),
    ...(description !== '' && { description }),
    ...(only !== undefined && { enum: [only] }),
    ...(items !== undefined && { items: publish(items, name) }),
    ...(properties !== undefined && { properties: mapValues(properties, (inner) => publish(inner, name)) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: publish(additionalProperties, name) }),
    ...(isOpen && additionalProperties === undefined && { 'x-kubernetes-preserve-unknown-fields': true }),
  };
}

const KEPT = [
  'required',
  'enum',
  'default',
  'format',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
];

function typeOf(values: readonly unknown[] | undefined): string | undefined {
  return values?.every((value) => typeof value === 'string') === true ? 'string' : undefined;
}

function mapValues<Value>(
  values: Readonly<Record<string, Value>>,
  map: (value: Value) => object,
): Record<string, object> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
