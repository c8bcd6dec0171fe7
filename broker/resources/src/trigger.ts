import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { completeDestination, DestinationSchema, ReferenceSchema } from './destination.ts';
import { complaint, show } from './fault.ts';
import { AttributesSchema, FILTER_DEFINITIONS, FilterSchema } from './filter.ts';
import { immutableSpec } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

/** Names the source (as JSON of an ObjectReference) that must be ready before the trigger is. */
export const DEPENDENCY = 'knative.dev/dependency';
/** `enabled` asks for the broker `default` to be made. */
export const INJECTION = 'eventing.knative.dev/injection';
/** `ordered` delivers one after the other for each partition key; `unordered` (the default) does not. */
export const DELIVERY_ORDER = 'kafka.eventing.knative.dev/delivery.order';
/** The label that names the broker of a resource. */
export const BROKER_LABEL = 'eventing.knative.dev/broker';

const brokerRule: Rule<Record<string, unknown>> = ({ broker, brokerRef, filter, filters }, path, tell) => {
  if (broker === undefined && brokerRef === undefined) {
    const text = `missing field(s): ${path}.broker`;
    tell.fault(complaint(`${path}.broker`, 'the name of a broker', 'nothing', { text }));
  }
  if (broker !== undefined && brokerRef !== undefined) {
    const text = `expected exactly one, got both: ${path}.broker, ${path}.brokerRef`;
    tell.fault(complaint(`${path}.brokerRef`, 'broker or brokerRef', 'both', { text }));
  }
  const both = Array.isArray(filters) && filters.length > 0 && hasAttributes(filter);
  if (both) tell.receipt(`${path}.filter`, `${path}.filters is given, so ${path}.filter is ignored`);
};

function hasAttributes(filter: unknown): boolean {
  const attributes = (filter as { attributes?: unknown } | undefined)?.attributes;
  return typeof attributes === 'object' && attributes !== null && Object.keys(attributes).length > 0;
}

const SpecSchema = Fields(
  {
    broker: Type.Optional(Text({ expected: 'the name of a broker' })),
    brokerRef: Type.Optional(ReferenceSchema),
    subscriber: DestinationSchema,
    /** The older way to filter; ignored when `filters` holds any. */
    filter: Type.Object(
      { attributes: Type.Optional(AttributesSchema) },
      { additionalProperties: false, default: {}, expected: 'an object with attributes' },
    ),
    /** All of them must pass. */
    filters: Type.Optional(Type.Array(FilterSchema, { expected: 'a list of filters' })),
    /** In place of the broker's, as a whole. */
    delivery: Type.Optional(DeliverySchema),
  },
  { rule: brokerRule, expected: 'an object with broker and subscriber' },
);

/** What a {@link Trigger} says; the fields are those of Knative. */
export type TriggerSpec = Static<typeof SpecSchema>;

/** Events of a broker, filtered, to a subscriber, whose answers go back to the broker (eventing.knative.dev/v1). */
export type Trigger = Resource<'Trigger', TriggerSpec>;

// As the schema calls it: nothing inside is certain.
type Draft = {
  metadata?: { namespace?: unknown; annotations?: Record<string, unknown> };
  spec?: { broker?: unknown; brokerRef?: { namespace?: unknown } };
};

const triggerRule: Rule<Draft> = ({ metadata, spec }, _path, tell) => {
  const namespace = metadata?.namespace ?? 'default';
  const brokerNamespace = spec?.brokerRef?.namespace;
  if (brokerNamespace !== undefined && brokerNamespace !== namespace) {
    const at = 'spec.brokerRef.namespace';
    const text = `must not set the field(s): ${at}`;
    tell.fault(complaint(at, `no namespace, or the trigger's own`, show(at, brokerNamespace), { text }));
  }
  const at = (name: string) => `metadata.annotations[${JSON.stringify(name)}]`;
  const dependency = metadata?.annotations?.[DEPENDENCY];
  const injection = metadata?.annotations?.[INJECTION];
  const order = metadata?.annotations?.[DELIVERY_ORDER];
  if (typeof dependency === 'string' && dependencyOf(dependency, namespace) === undefined) {
    const expected = `JSON with kind, name and apiVersion of a source in the trigger's namespace`;
    const text = 'The provided annotation was not a corev1.ObjectReference';
    tell.fault(complaint(at(DEPENDENCY), expected, show('', dependency), { text }));
  }
  if (injection !== undefined && injection !== 'enabled' && injection !== 'disabled') {
    const text = `The provided injection annotation value can only be "enabled" or "disabled", not ${show('', injection)}`;
    tell.fault(complaint(at(INJECTION), '"enabled" or "disabled"', show('', injection), { text }));
  } else if (injection !== undefined && spec?.broker !== 'default') {
    const text = 'The provided injection annotation is only used for default broker';
    tell.fault(
      complaint(at(INJECTION), 'spec.broker to be "default" beside it', show('spec.broker', spec?.broker), { text }),
    );
  }
  if (order !== undefined && order !== 'ordered' && order !== 'unordered')
    tell.fault(complaint(at(DELIVERY_ORDER), '"ordered" or "unordered"', show('', order)));
};

/** What a {@link DEPENDENCY} names, or undefined when it is not the JSON of a reference into this namespace. */
export function dependencyOf(
  annotation: string,
  namespace: unknown,
): { kind: string; name: string; apiVersion: string } | undefined {
  let reference: unknown;
  try {
    reference = JSON.parse(annotation);
  } catch {
    return undefined;
  }
  if (typeof reference !== 'object' || reference === null) return undefined;
  const { kind, name, apiVersion, namespace: theirs } = reference as Record<string, unknown>;
  if (typeof kind !== 'string' || typeof name !== 'string' || typeof apiVersion !== 'string') return undefined;
  if (kind === '' || name === '' || apiVersion === '') return undefined;
  return theirs === undefined || theirs === '' || theirs === namespace ? { kind, name, apiVersion } : undefined;
}

/** The name of the broker, however it was said. */
export function brokerOf(trigger: Trigger): string {
  return trigger.spec.broker ?? trigger.spec.brokerRef?.name ?? '';
}

/** The kind Trigger. */
export const triggerKind: KindDefinition<Trigger> = {
  kind: 'Trigger',
  apiVersions: ['eventing.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Trigger'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: triggerRule, $defs: FILTER_DEFINITIONS },
  ),
  complete(trigger) {
    const { metadata, spec } = trigger;
    metadata.labels = { ...metadata.labels, [BROKER_LABEL]: brokerOf(trigger) };
    completeDestination(spec.subscriber, metadata.namespace);
    completeDelivery(spec.delivery, metadata.namespace);
    if (spec.brokerRef !== undefined) spec.brokerRef.namespace ??= metadata.namespace;
  },
  immutable: (before, after) => immutableSpec({ broker: before.spec.broker }, { broker: after.spec.broker }),
};
