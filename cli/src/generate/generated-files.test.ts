import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';

import { COMMAND, GENERATED_FOLDERS, generatedFiles } from './generated-files.ts';

const ROOT = join(import.meta.dirname, '../../..');
const files = generatedFiles();

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly [keyword: string]: unknown;
}

interface Definition {
  readonly metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  readonly spec: {
    readonly group: string;
    readonly names: { kind: string; plural: string; shortNames?: string[]; categories?: string[] };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly deprecated?: boolean;
      readonly deprecationWarning?: string;
      readonly subresources: { readonly status: object; readonly scale?: object };
      readonly schema: { readonly openAPIV3Schema: Schema };
      readonly additionalPrinterColumns: readonly { name: string; jsonPath: string; priority?: number }[];
    }[];
  };
}

const definitions = [...files]
  .filter(([path]) => path.startsWith('manifests/crds/'))
  .map(([, text]) => parse(text) as Definition);
const definitionOf = (kind: string) => definitions.find((it) => it.spec.names.kind === kind)!;

describe('the generated files', () => {
  test(`are those that ${COMMAND} writes`, () => {
    const different = [...files].filter(
      ([path, text]) => !existsSync(join(ROOT, path)) || readFileSync(join(ROOT, path), 'utf8') !== text,
    );
    assert.deepEqual(
      different.map(([path]) => path),
      [],
      `what the kinds say has changed: run ${COMMAND}`,
    );
  });

  test('are all that is in their folders', () => {
    const there = GENERATED_FOLDERS.flatMap((folder) => readdirSync(join(ROOT, folder)).map((it) => `${folder}/${it}`));
    assert.deepEqual(
      there.filter((path) => !files.has(path)),
      [],
      `of kinds that there are no longer: run ${COMMAND}`,
    );
  });
});

// What a structural schema of Kubernetes (apiextensions.k8s.io/v1) may hold, beside types.
const KEYWORDS = new Set(
  (
    'type description default properties additionalProperties items required enum format pattern minLength maxLength ' +
    'minimum maximum minItems maxItems minProperties x-kubernetes-preserve-unknown-fields x-kubernetes-int-or-string'
  ).split(' '),
);
const TYPES = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

/** What keeps a schema from being structural, with the place. */
function breaches(schema: Schema, at: string): string[] {
  const { type, properties, additionalProperties, items, pattern, required } = schema;
  const isTyped = type !== undefined && TYPES.has(type);
  const isOpen =
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true;
  const found: string[] = [];
  if (!isTyped && (!isOpen || type !== undefined)) found.push(`${at}: no type, but ${JSON.stringify(type)}`);
  if (properties !== undefined && additionalProperties !== undefined) found.push(`${at}: properties and others`);
  if (type === 'array' && items === undefined) found.push(`${at}: a list of nothing`);
  // RE2 has neither looking around nor back.
  if (pattern !== undefined && /\(\?[=!<]|\\\d|\\u/.test(pattern)) found.push(`${at}: pattern ${pattern}`);
  for (const name of (required as string[] | undefined) ?? [])
    if (properties?.[name] === undefined) found.push(`${at}: ${name} is required and unknown`);
  for (const keyword of Object.keys(schema)) if (!KEYWORDS.has(keyword)) found.push(`${at}: ${keyword}`);
  for (const [name, field] of Object.entries(properties ?? {})) found.push(...breaches(field, `${at}.${name}`));
  if (additionalProperties !== undefined) found.push(...breaches(additionalProperties, `${at}.*`));
  if (items !== undefined) found.push(...breaches(items, `${at}[]`));
  return found;
}

describe('a CustomResourceDefinition', () => {
  for (const { metadata, spec } of definitions) {
    const { kind, plural } = spec.names;
    test(`of ${spec.group} ${kind} is structural, and has one version that is stored`, () => {
      assert.equal(metadata.name, `${plural}.${spec.group}`);
      assert.equal(spec.versions.filter((it) => it.storage).length, 1);
      for (const { name, schema, subresources, additionalPrinterColumns } of spec.versions) {
        assert.deepEqual(breaches(schema.openAPIV3Schema, `${kind} ${name}`), []);
        assert.deepEqual(subresources.status, {});
        for (const { jsonPath } of additionalPrinterColumns) assert.match(jsonPath, /^\./);
      }
    });
  }

  test('of every kind says what Knative looks for', () => {
    const labelled = (label: string) =>
      definitions
        .filter((it) => it.metadata.labels?.[label] === 'true')
        .map((it) => it.spec.names.kind)
        .toSorted();
    assert.deepEqual(labelled('duck.knative.dev/source'), [
      'ApiServerSource',
      'ContainerSource',
      'IntegrationSource',
      'KafkaSource',
      'PingSource',
      'SinkBinding',
      'WebhookSource',
    ]);
    assert.deepEqual(labelled('duck.knative.dev/binding'), ['SinkBinding']);
    assert.deepEqual(labelled('messaging.knative.dev/subscribable'), ['Channel', 'InMemoryChannel', 'KafkaChannel']);
    assert.ok(labelled('duck.knative.dev/addressable').includes('Broker'));
    assert.ok(!labelled('duck.knative.dev/addressable').includes('RequestReply'));
  });

  test('of a KafkaSource can be scaled, and is stored as Knative stores it', () => {
    const { versions } = definitionOf('KafkaSource').spec;
    for (const { name, storage, subresources } of versions) {
      assert.equal(storage, name === 'v1beta1');
      assert.deepEqual(subresources.scale, {
        specReplicasPath: '.spec.consumers',
        statusReplicasPath: '.status.consumers',
        labelSelectorPath: '.status.selector',
      });
    }
  });

  test('has the names, columns and deprecated versions of its kind', () => {
    const { names, versions } = definitionOf('PingSource').spec;
    assert.deepEqual(names.categories, ['all', 'knative', 'sources']);
    assert.deepEqual(definitionOf('InMemoryChannel').spec.names.shortNames, ['imc']);
    assert.deepEqual(
      versions.map(({ name, deprecated, deprecationWarning }) => [name, deprecated, deprecationWarning]),
      [
        ['v1', undefined, undefined],
        ['v1beta2', true, 'sources.knative.dev/v1beta2 PingSource is deprecated: use sources.knative.dev/v1'],
      ],
    );
    assert.deepEqual(
      versions[0]!.additionalPrinterColumns.map((it) => it.name),
      ['Sink', 'Schedule', 'Age', 'Ready', 'Reason'],
    );
  });
});

const manifests = globSync('manifests/examples/**/*.yaml', { cwd: ROOT }).toSorted();
const resourcesIn = (path: string) =>
  parseAllDocuments(readFileSync(join(ROOT, path), 'utf8'))
    .map((it) => it.toJS() as { kind: string; apiVersion: string } | null)
    .filter((it) => it !== null);

function validatorOf(name: string) {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const [path, text] of files)
    if (path.startsWith('manifests/schemas/'))
      ajv.addSchema(JSON.parse(text) as object, path.slice('manifests/schemas/'.length));
  return ajv.getSchema(name)!;
}

describe('the schemas for editors', () => {
  const validate = validatorOf('all.json');
  const faultsOf = (value: unknown) =>
    validate(value) === true ? [] : validate.errors!.map((it) => `${it.instancePath} ${it.message}`);

  for (const path of manifests) {
    test(`accept ${path}`, () => {
      const resources = resourcesIn(path);
      assert.ok(resources.length > 0);
      for (const resource of resources) assert.deepEqual(faultsOf(resource), []);
      assert.deepEqual(faultsOf({ apiVersion: 'v1', kind: 'List', items: resources }), []);
    });
  }

  const ping = {
    apiVersion: 'sources.knative.dev/v1',
    kind: 'PingSource',
    metadata: { name: 'tick' },
    spec: { schedule: '@hourly', sink: { uri: 'http://agent' } },
  };
  const { sink: _, ...withoutSink } = ping.spec;
  for (const [what, resource, fault] of [
    ['nothing in what is right', ping, undefined],
    [
      'a field that there is not',
      { ...ping, spec: { ...ping.spec, schedul: 'x' } },
      /^\/spec must NOT have additional/,
    ],
    ['a field of another type', { ...ping, spec: { ...ping.spec, schedule: 5 } }, /^\/spec\/schedule must be string/],
    ['a field that is missing', { ...ping, spec: withoutSink }, /^\/spec must have required property 'sink'/],
    ['a kind that there is not', { ...ping, kind: 'PingSorce' }, /^\/kind must be equal to one of/],
    ['a version that there is not', { ...ping, apiVersion: 'sources.knative.dev/v2' }, /^\/apiVersion must be equal/],
    ['a resource without a kind', { ...ping, kind: undefined }, /^ must have required property 'kind'/],
    [
      'what is wrong within a List',
      { apiVersion: 'v1', kind: 'List', items: [{ ...ping, spec: {} }] },
      /^\/items\/0\/spec must have required/,
    ],
    [
      'a filter of which one within another is wrong',
      {
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata: { name: 't' },
        spec: { broker: 'default', subscriber: { uri: 'http://a' }, filters: [{ not: { exakt: { type: 'a' } } }] },
      },
      /^\/spec\/filters\/0\/not must NOT have additional/,
    ],
  ] as const) {
    test(`find ${what}`, () => {
      const faults = faultsOf(JSON.parse(JSON.stringify(resource)));
      if (fault === undefined) assert.deepEqual(faults, []);
      else
        assert.ok(
          faults.some((it) => fault.test(it)),
          faults.join('\n'),
        );
    });
  }
});

describe('what a cluster is taught', () => {
  test('accepts all examples, too', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    let looked = 0;
    for (const resource of manifests.flatMap(resourcesIn)) {
      const definition = definitions.find(
        ({ spec }) => spec.names.kind === resource.kind && resource.apiVersion.startsWith(`${spec.group}/`),
      );
      const version = definition?.spec.versions.find(({ name }) => resource.apiVersion.endsWith(`/${name}`));
      if (version === undefined) {
        assert.ok(['Secret', 'ConfigMap'].includes(resource.kind), resource.kind);
        continue;
      }
      looked += 1;
      const validate = ajv.compile(version.schema.openAPIV3Schema);
      assert.ok(validate(resource), JSON.stringify(validate.errors));
    }
    assert.ok(looked > 10);
  });
});
