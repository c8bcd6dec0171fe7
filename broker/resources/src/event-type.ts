import { Type } from 'typebox';
import type { Static } from 'typebox';
import { ReferenceSchema } from './destination.ts';
import { attributesMissing, EventTypeAttributesSchema, fieldsOfAttributes } from './event-type-attributes.ts';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

const VERSION = 'eventing.knative.dev/v1beta2';
const BY_ATTRIBUTES = 'eventing.knative.dev/v1beta3';

const SpecSchema = Fields(
  {
    type: Text({ expected: 'the type of events', defaulted: 'what spec.attributes say (v1beta3)' }),
    /** Absent: events of every source. */
    source: Type.Optional(Text({ expected: 'the source of events' })),
    /** The URI by which events name their schema, in `dataschema`. */
    schema: Type.Optional(Text({ expected: 'a URI' })),
    /** A JSON Schema, as text, that the data of such events is held against where a broker or channel asks for it. */
    schemaData: Type.Optional(Text({ expected: 'a JSON Schema, as text' })),
    /** Older than `reference`, which wins. */
    broker: Type.Optional(Text({ expected: 'the name of a broker' })),
    /** Where such events enter; absent: anywhere in the namespace. */
    reference: Type.Optional(ReferenceSchema),
    description: Type.Optional(Type.String({ expected: 'a text' })),
    /** v1beta3 alone, in place of type, source, schema and schemaData. Not there after defaults. */
    attributes: Type.Optional(EventTypeAttributesSchema),
  },
  { expected: 'an object with type' },
);

/** What an {@link EventType} says; the fields are those of Knative's v1beta2. */
export type EventTypeSpec = Static<typeof SpecSchema>;

/** That there are events of a type, and what they look like (eventing.knative.dev/v1beta2, v1beta3, v1beta1). */
export type EventType = Resource<'EventType', EventTypeSpec>;

// As the schema calls it: nothing inside is certain.
type Draft = { apiVersion?: unknown; spec?: Record<string, unknown> };

const versionRule: Rule<Draft> = ({ apiVersion, spec = {} }, _path, tell) => {
  const { type, attributes } = spec;
  const missing = (at: string, expected: string) =>
    tell.fault(complaint(at, expected, 'nothing', { text: `missing field(s): ${at}` }));
  if (apiVersion !== BY_ATTRIBUTES) {
    if (attributes !== undefined)
      tell.fault(complaint('spec.attributes', `none in ${VERSION}: say spec.type`, show('', attributes)));
    else if (type === undefined) missing('spec.type', 'the type of events');
    return;
  }
  if (!Array.isArray(attributes)) return missing('spec.attributes', 'a list that names type, source, specversion, id');
  for (const name of attributesMissing(attributes as { name?: unknown }[]))
    missing(`spec.attributes[name=${name}]`, 'an attribute of this name');
  const named = attributes.find((it: { name?: unknown } | null) => it?.name === 'type') as { value?: unknown };
  if (named !== undefined && (named.value ?? '') === '')
    missing('spec.attributes[name=type].value', 'the type of events');
};

/** The kind EventType. What v1beta3 says by attributes is held in the fields of v1beta2. */
export const eventTypeKind: KindDefinition<EventType> = {
  kind: 'EventType',
  apiVersions: [VERSION, BY_ATTRIBUTES, 'eventing.knative.dev/v1beta1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('EventType'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: versionRule },
  ),
  complete(eventType) {
    const { attributes, ...spec } = eventType.spec;
    if (attributes !== undefined) {
      eventType.apiVersion = VERSION;
      eventType.spec = { ...spec, ...fieldsOfAttributes(attributes) };
    }
    if (eventType.spec.reference !== undefined) eventType.spec.reference.namespace ??= eventType.metadata.namespace;
  },
};

/** What an EventType is about: a broker, channel or flow, or undefined for every one of its namespace. */
export function addressableOf({
  metadata,
  spec,
}: EventType): { kind: string; namespace: string; name: string } | undefined {
  const { reference, broker } = spec;
  const { namespace } = metadata;
  if (reference !== undefined)
    return { kind: reference.kind, namespace: reference.namespace ?? namespace, name: reference.name };
  return broker === undefined ? undefined : { kind: 'Broker', namespace, name: broker };
}
