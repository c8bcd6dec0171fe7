import { isKind, KINDS, schemaOf } from '@millrace/resources/kinds';

import { apiVersionOf } from './kind.ts';
import type { JsonSchema } from './kind.ts';
import { METADATA_SCHEMA } from './metadata-schema.ts';

const OPEN: JsonSchema = { type: 'object', properties: {} };

/**
 * The schema of whole objects of a kind: what `@millrace/resources` says where it has the kind, else `otherwise`
 * (default: a spec of anything). Every object has the same metadata, and may have a status.
 */
export function schemaFor(
  group: string,
  version: string,
  kind: string,
  otherwise: Readonly<Record<string, JsonSchema>> = { spec: OPEN },
): JsonSchema {
  const isSaid = isKind(kind) && KINDS[kind].apiVersions.includes(apiVersionOf({ group }, version));
  const said: JsonSchema = isSaid ? (schemaOf(kind) as JsonSchema) : { properties: otherwise };
  const { status } = said.properties ?? {};
  return {
    ...said,
    type: 'object',
    additionalProperties: false,
    properties: {
      ...said.properties,
      apiVersion: { type: 'string', description: 'The group and version of the kind.' },
      kind: { type: 'string', description: 'What it is.' },
      metadata: METADATA_SCHEMA,
      ...(group === '' && status === undefined
        ? {}
        : { status: { ...OPEN, description: 'How it is. Written by the server.' } }),
    },
  };
}
