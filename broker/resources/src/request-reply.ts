import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { ReferenceSchema } from './destination.ts';
import type { Reference } from './destination.ts';
import { periodRule } from './duration.ts';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import { join } from './path.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import type { Rule } from './schema.ts';
import { BROKER_LABEL } from './trigger.ts';

const CORRELATION = 'correlationid';
const REPLY = 'replyid';

const CORE = new Set(['', 'id', 'type', 'specversion', 'source']);
// Attributes whose values are of a form that no correlation has, and the words of CESQL, in which replies are filtered.
const TAKEN = new Set('time data datacontenttype dataschema and or xor not like in exists true false'.split(' '));

/** The name of an extension; `field` is how Knative's message calls it. */
function Attribute(name: string, field: string) {
  const rule: Rule<string> = (value, path, tell) => {
    if (/^[a-z0-9]+$/.test(value) && !CORE.has(value) && !TAKEN.has(value)) return;
    const got = show(path, value);
    const why = CORE.has(value)
      ? `: ${field} must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)`
      : '';
    const expected = 'the name of an extension: lower-case letters and digits, and no word of CESQL';
    tell.fault(complaint(path, expected, got, { text: `invalid value: ${got}${why}` }));
  };
  return Type.String({ default: name, rule, expected: 'the name of an extension' });
}

const brokerRule: Rule<Record<string, unknown>> = ({ kind, namespace }, path, tell) => {
  if (typeof kind === 'string' && kind.toLowerCase() !== 'broker') {
    const at = join(path, 'kind');
    const text = `invalid value: ${show(at, kind)}: brokerRef kind must be Broker`;
    tell.fault(complaint(at, '"Broker"', show(at, kind), { text }));
  }
  if (namespace !== undefined) {
    const at = join(path, 'namespace');
    const text = `must not set the field(s): ${at}`;
    tell.fault(complaint(at, 'none: the broker is in the same namespace', show(at, namespace), { text }));
  }
};

// Before defaults: one that is left out has its default name.
const attributesRule: Rule<Record<string, unknown>> = (spec, path, tell) => {
  const { correlationAttribute = CORRELATION, replyAttribute = REPLY } = spec;
  if (correlationAttribute !== replyAttribute) return;
  const at = join(path, 'replyAttribute');
  tell.fault(complaint(at, 'another name than correlationAttribute', show(at, replyAttribute)));
};

const SpecSchema = Fields(
  {
    brokerRef: Type.Unsafe<Omit<Reference, 'namespace'>>({ ...ReferenceSchema, rule: brokerRule }),
    /** Set on each event; its reply carries the value back in the other attribute. */
    correlationAttribute: Attribute(CORRELATION, 'correlationattribute'),
    replyAttribute: Attribute(REPLY, 'replyattribute'),
    /** How long a request is held. */
    timeout: Type.String({
      default: 'PT30S',
      rule: periodRule('more than zero'),
      expected: 'an ISO-8601 period such as "PT30S"',
    }),
    delivery: Type.Optional(DeliverySchema),
  },
  { rule: attributesRule, expected: 'an object with brokerRef' },
);

/** What a {@link RequestReply} says. */
export type RequestReplySpec = Static<typeof SpecSchema>;

/** A door into a broker that holds each request until its reply comes (eventing.knative.dev/v1alpha1). */
export type RequestReply = Resource<'RequestReply', RequestReplySpec>;

/** The kind RequestReply. */
export const requestReplyKind: KindDefinition<RequestReply> = {
  kind: 'RequestReply',
  apiVersions: ['eventing.knative.dev/v1alpha1'],
  schema: Fields({
    apiVersion: Type.String(),
    kind: Type.Literal('RequestReply'),
    metadata: MetadataSchema,
    spec: SpecSchema,
    status: Type.Optional(Type.Unknown()),
  }),
  complete({ metadata, spec }) {
    metadata.labels = { ...metadata.labels, [BROKER_LABEL]: spec.brokerRef.name };
    completeDelivery(spec.delivery, metadata.namespace);
  },
};
