import { KINDS, schemaOf } from '@millrace/resources/kinds';
import type { KindName } from '@millrace/resources/kinds';

import type { JsonSchema } from './kind.ts';
import { described } from './structural.ts';

/** The vocabulary that editors know best; what we use of it means the same in later ones. */
const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** The schema of all kinds refers to those of each by the name of its file. */
export const ALL = 'all.json';

/** The name of the file that holds the schema of a kind. */
export function editorSchemaFile(kind: string): string {
  return `${kind.toLowerCase()}.json`;
}

/** What may be written for a kind, for editors (JSON Schema), with what each field wants as its description. */
export function editorSchema(kind: KindName): JsonSchema {
  return { $schema: DRAFT, title: kind, ...forEditors(schemaOf(kind) as JsonSchema) };
}

/** What may be written in a document of a manifest: one of the kinds, or a List of them. */
export function editorSchemaOfAll(): JsonSchema {
  const kinds = Object.keys(KINDS);
  const when = (kind: string, then: JsonSchema): JsonSchema => ({
    if: { required: ['kind'], properties: { kind: { const: kind } } },
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema calls it so; nobody awaits a schema
    then,
  });
  return {
    $schema: DRAFT,
    title: 'A resource of a manifest',
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: {
      apiVersion: { type: 'string', description: 'The group and version of the kind.' },
      kind: { type: 'string', enum: [...kinds, 'List'], description: 'What it is.' },
    },
    allOf: [
      ...kinds.map((kind) => when(kind, { $ref: editorSchemaFile(kind) })),
      when('List', {
        required: ['items'],
        properties: { apiVersion: { enum: ['v1'] }, items: { type: 'array', items: { $ref: ALL } } },
      }),
    ],
  };
}

// Of these the names are not keywords: a field may be called `expected`.
const NAMED = new Set(['properties', '$defs']);

function forEditors(schema: JsonSchema): JsonSchema {
  const { expected: _told, defaulted: _too, ...rest } = schema;
  const translated = Object.entries(rest).map(([keyword, value]) => {
    if (NAMED.has(keyword))
      return [keyword, Object.fromEntries(Object.entries(value as object).map(([name, it]) => [name, forEditors(it)]))];
    const isSchema = ['items', 'additionalProperties', 'propertyNames'].includes(keyword) && typeof value === 'object';
    return [keyword, isSchema ? forEditors(value as JsonSchema) : value];
  });
  return { ...described(schema), ...(Object.fromEntries(translated) as JsonSchema) };
}
