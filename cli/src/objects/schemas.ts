import { nearest } from '@millrace/resources/nearest';

import type { ApiClient } from '../api-client.ts';
import { CommandFailure } from '../exit-codes.ts';
import { printable } from '../view/printable.ts';
import { apiVersionOf } from './discovery.ts';
import type { ResourceType } from './discovery.ts';

/** What the server's OpenAPI says of a value. */
export interface Schema {
  readonly $ref?: string;
  /** Several where it may be any of them. */
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-group-version-kind'?: readonly Pick<ResourceType, 'group' | 'version' | 'kind'>[];
}

/** The schemas of a group and version, as far as they are needed to explain a kind. */
export interface KindSchema {
  readonly root: Schema;
  /** What a reference refers to; anything else is given back. */
  readonly resolve: (schema: Schema) => Schema;
}

/** Asks for the schema of a kind. Rejects with a {@link CommandFailure} when the server has none. */
export async function schemaOf(client: ApiClient, type: ResourceType): Promise<KindSchema> {
  const root = type.group === '' ? 'api' : 'apis';
  const path = `/openapi/v3/${root}/${apiVersionOf(type)}`;
  const { body } = await client.send<{ components?: { schemas?: Readonly<Record<string, Schema>> } }>({ path });
  const schemas = body.components?.schemas ?? {};
  const found = Object.values(schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      (it) => it.group === type.group && it.version === type.version && it.kind === type.kind,
    ),
  );
  if (found === undefined)
    throw new CommandFailure('notFound', `the server says nothing of the fields of ${type.kind}`);
  return {
    root: found,
    resolve: (schema) => (schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1)!] ?? {})),
  };
}

/** What stands inside a value: the fields of an object, of the items of a list, of the values of a map. */
export function insideOf(schema: Schema, { resolve }: Pick<KindSchema, 'resolve'>): Schema {
  const here = resolve(schema);
  if (here.items !== undefined) return insideOf(here.items, { resolve });
  if (typeof here.additionalProperties === 'object') return insideOf(here.additionalProperties, { resolve });
  return here;
}

/** The schema of a field, by its names from outside in. Throws a {@link CommandFailure} for a name that is none. */
export function fieldOf(kind: KindSchema, names: readonly string[]): Schema {
  let schema = kind.root;
  for (const [index, name] of names.entries()) {
    const { properties = {} } = insideOf(schema, kind);
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (inner === undefined) {
      const there = Object.keys(properties);
      const near = nearest(name, there);
      const above = index === 0 ? 'the object' : names.slice(0, index).join('.');
      const hint =
        near !== undefined
          ? `did you mean ${near}?`
          : there.length === 0
            ? 'it has none'
            : `there are ${there.join(', ')}`;
      throw new CommandFailure('notFound', printable(`${above} has no field "${name}": ${hint}`));
    }
    schema = inner;
  }
  return schema;
}

/** What a value is, as `kubectl explain` says it: `string`, `[]Object`, `map[string]string`. */
export function typeName({ $ref, type, items, additionalProperties }: Schema): string {
  if (items !== undefined) return `[]${typeName(items)}`;
  if (typeof additionalProperties === 'object') return `map[string]${typeName(additionalProperties)}`;
  if ($ref !== undefined) return $ref.split(/[./]/).at(-1)!;
  if (Array.isArray(type)) return type.join(' or ');
  return type === undefined || type === 'object' ? 'Object' : (type as string);
}
