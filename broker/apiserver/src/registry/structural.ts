import type { JsonSchema } from './kind.ts';

/** Anything: what Kubernetes keeps as it is. */
const ANYTHING: JsonSchema = { 'x-kubernetes-preserve-unknown-fields': true };
const OPEN: JsonSchema = { type: 'object', ...ANYTHING };

/** Keywords that mean the same in a structural schema. */
const KEPT = [
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'minProperties',
  'enum',
  'format',
] as const;

/**
 * The same schema as Kubernetes takes it in a CustomResourceDefinition ("structural": every value has a type, nothing is
 * referred to). It says less: what it cannot say (names of keys, rules of ours) is left to who admits the object. A
 * schema that contains itself is followed once, and open from there on.
 */
export function structuralSchema(schema: JsonSchema, definitions = schema.$defs ?? {}): JsonSchema {
  return structural(schema, definitions, new Set());
}

function structural(
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
  within: ReadonlySet<string>,
): JsonSchema {
  const { $ref } = schema;
  if ($ref !== undefined) {
    const definition = definitions[$ref.slice('#/$defs/'.length)];
    if (definition === undefined) throw new TypeError(`expected a reference into $defs, got ${$ref}`);
    return within.has($ref) ? OPEN : structural(definition, definitions, new Set([...within, $ref]));
  }
  const inner = (it: JsonSchema) => structural(it, definitions, within);
  return { ...described(schema), ...('default' in schema ? { default: schema.default } : {}), ...typed(schema, inner) };
}

function typed(schema: JsonSchema, inner: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const { properties, additionalProperties, required, items, enum: values } = schema;
  const type = schema.type ?? (values === undefined ? undefined : typeof values[0]);
  if (type === undefined) return ANYTHING;
  // A text or a number: a quantity, a port.
  if (typeof type !== 'string') return { 'x-kubernetes-int-or-string': true };
  const kept = Object.fromEntries(KEPT.flatMap((key) => (schema[key] === undefined ? [] : [[key, schema[key]]])));
  switch (type) {
    case 'array':
      return { type, ...kept, items: items === undefined ? ANYTHING : inner(items) };
    case 'object': {
      if (typeof additionalProperties === 'object')
        return { type, ...kept, additionalProperties: inner(additionalProperties) };
      const isClosed = additionalProperties === false;
      const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, inner(field)] as const);
      return {
        type,
        ...kept,
        ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields) }),
        ...(required === undefined || required.length === 0 ? {} : { required }),
        ...(isClosed ? {} : ANYTHING),
      };
    }
    default:
      return { type, ...kept };
  }
}

/** What a field wants, for people: as messages say it. */
export function described({ description, expected, defaulted }: JsonSchema): { description?: string } {
  const sentences = [description ?? sentence(expected), defaulted === undefined ? undefined : `Default: ${defaulted}.`];
  const text = sentences.filter((it) => it !== undefined).join(' ');
  return text === '' ? {} : { description: text };
}

function sentence(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
