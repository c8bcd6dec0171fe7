import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Fields, Text } from './schema.ts';

/** How v1beta3 says what v1beta2 has fields for. */
export const EventTypeAttributesSchema = Type.Array(
  Fields(
    {
      name: Text({ expected: 'the name of an attribute' }),
      required: Type.Optional(Type.Boolean({ expected: 'true or false' })),
      value: Type.Optional(Type.String({ expected: 'a text' })),
    },
    { expected: 'an attribute: an object with name, required and value' },
  ),
  { expected: 'a list of attributes' },
);

/** What a list of {@link EventTypeAttributesSchema} holds. */
export type EventTypeAttribute = Static<typeof EventTypeAttributesSchema>[number];

/** The fields of v1beta2 that attributes say. */
export interface SaidByAttributes {
  type?: string;
  source?: string;
  schema?: string;
  schemaData?: string;
}

/** What every list has to name (knative.md §1.4). */
const NAMED = ['type', 'source', 'specversion', 'id'];

const FIELDS = ['type', 'source', 'schema', 'schemaData'] as const;

/** Which of the attributes that have to be there a list does not name. */
export function attributesMissing(attributes: readonly { readonly name?: unknown }[]): string[] {
  return NAMED.filter((name) => !attributes.some((it) => it.name === name));
}

/** The fields of v1beta2. A list may also call the schema as events do, `dataschema`. */
export function fieldsOfAttributes(attributes: readonly EventTypeAttribute[]): SaidByAttributes {
  const valueOf = (name: string) => attributes.find((it) => it.name === name)?.value || undefined;
  const fields: SaidByAttributes = {};
  for (const field of FIELDS) {
    const value = valueOf(field) ?? (field === 'schema' ? valueOf('dataschema') : undefined);
    if (value !== undefined) fields[field] = value;
  }
  return fields;
}

/** The list of v1beta3 that says these fields. */
export function attributesOfFields(fields: SaidByAttributes): EventTypeAttribute[] {
  return [...new Set([...NAMED, ...FIELDS])].flatMap((name): EventTypeAttribute[] => {
    const value = fields[name as keyof SaidByAttributes];
    if (value !== undefined) return [{ name, required: true, value }];
    return NAMED.includes(name) ? [{ name, required: true }] : [];
  });
}
