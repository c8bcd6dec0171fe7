import { nearest } from '@millrace/resources/nearest';
import { join } from '@millrace/resources/path';

import type { JsonSchema } from '../registry/kind.ts';
import { isRecord } from './json.ts';

/** A field that a schema does not have. */
export interface UnknownField {
  /** `spec.filters[0].exactly`. */
  readonly path: string;
  /** The field that was probably meant. */
  readonly suggestion: string | undefined;
}

/**
 * Takes the fields out of a value, in place, that its schema does not have, and tells which. What a schema leaves open
 * (an object without `properties` or with `additionalProperties`) is left as it is.
 */
export function pruneUnknown(value: unknown, schema: JsonSchema): UnknownField[] {
  const found: UnknownField[] = [];
  prune(value, schema, '', { root: schema, found });
  return found;
}

/** In the words of Kubernetes, so far as it has some. */
export function tellUnknown({ path, suggestion }: UnknownField): string {
  return `unknown field "${path}"${suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`}`;
}

interface Search {
  readonly root: JsonSchema;
  readonly found: UnknownField[];
}

function prune(value: unknown, said: JsonSchema, path: string, search: Search): void {
  const schema = resolve(said, search.root);
  if (Array.isArray(value)) {
    if (schema.items === undefined) return;
    for (const [index, item] of value.entries()) prune(item, schema.items, join(path, index), search);
    return;
  }
  if (!isRecord(value)) return;
  const { properties = {}, additionalProperties } = schema;
  for (const [field, inner] of Object.entries(value)) {
    const at = join(path, field);
    if (Object.hasOwn(properties, field)) prune(inner, properties[field]!, at, search);
    else if (additionalProperties === false) {
      search.found.push({ path: at, suggestion: nearest(field, Object.keys(properties)) });
      delete value[field];
    } else if (isRecord(additionalProperties)) prune(inner, additionalProperties, at, search);
  }
}

/** Follows a reference to the definitions of the same schema. */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = /^#\/\$defs\/(\w+)$/.exec(schema.$ref ?? '')?.[1];
  return name === undefined ? schema : (root.$defs?.[name] ?? schema);
}
