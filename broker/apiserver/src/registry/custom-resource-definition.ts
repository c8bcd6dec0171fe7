import { duckTypesOf } from './duck-types.ts';
import type { JsonSchema, ServedKind, ServedVersion } from './kind.ts';
import { resourceText } from './kind.ts';
import { structuralSchema } from './structural.ts';

/** A kind as a cluster is taught it: a CustomResourceDefinition of apiextensions.k8s.io/v1. */
export function customResourceDefinition(kind: ServedKind): Readonly<Record<string, unknown>> {
  const { labels, annotations } = duckTypesOf(kind.kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resourceText(kind), ...unlessEmpty({ labels, annotations }) },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        ...unlessEmpty({ shortNames: kind.shortNames, categories: kind.categories }),
      },
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      versions: kind.versions.map((version) => versionOf(kind, version)),
    },
  };
}

function versionOf(kind: ServedKind, { name, deprecated }: ServedVersion): Readonly<Record<string, unknown>> {
  const scale = SCALED[kind.kind];
  return {
    name,
    served: true,
    storage: name === kind.storage,
    ...(deprecated === undefined
      ? {}
      : { deprecated: true, deprecationWarning: `${kind.group}/${name} ${kind.kind} is deprecated: ${deprecated}` }),
    schema: { openAPIV3Schema: objectSchema(kind) },
    ...(kind.hasStatus ? { subresources: { status: {}, ...(scale === undefined ? {} : { scale }) } } : {}),
    additionalPrinterColumns: kind.columns.map(({ name: column, type, value, priority = 0 }) => ({
      name: column,
      type,
      jsonPath: value,
      ...(priority === 0 ? {} : { priority }),
    })),
  };
}

/** Kinds of which there may be more or less, and where that stands. */
const SCALED: Readonly<Record<string, object>> = {
  KafkaSource: {
    specReplicasPath: '.spec.consumers',
    statusReplicasPath: '.status.consumers',
    labelSelectorPath: '.status.selector',
  },
};

function objectSchema({ schema }: ServedKind): JsonSchema {
  const { apiVersion, kind, metadata: _ours, status: _any, ...said } = schema.properties ?? {};
  const inner = (field: JsonSchema) => structuralSchema(field, schema.$defs);
  const required = schema.required?.filter((name) => Object.hasOwn(said, name)) ?? [];
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: {
      apiVersion: inner(apiVersion ?? TEXT),
      kind: inner(kind ?? TEXT),
      // Kubernetes' own, which it lets nobody describe.
      metadata: { type: 'object' },
      ...Object.fromEntries(Object.entries(said).map(([name, field]) => [name, inner(field)])),
      status: STATUS,
    },
  };
}

const TEXT: JsonSchema = { type: 'string' };

/** How it is, as all kinds of Knative tell it; each has more beside. */
const STATUS: JsonSchema = {
  type: 'object',
  description: 'How it is. Written by who runs it.',
  'x-kubernetes-preserve-unknown-fields': true,
  properties: {
    observedGeneration: { type: 'integer', format: 'int64' },
    conditions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'status'],
        properties: {
          type: TEXT,
          status: TEXT,
          severity: TEXT,
          lastTransitionTime: TEXT,
          reason: TEXT,
          message: TEXT,
        },
      },
    },
  },
};

function unlessEmpty(fields: Readonly<Record<string, object>>): Readonly<Record<string, object>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));
}
