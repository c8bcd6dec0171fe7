import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { ReferenceSchema } from './destination.ts';
import type { Reference } from './destination.ts';
import { periodRule } from './duration.ts';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import { join } from './path.ts';
import type { Rule } from './schema.ts';

const TAKEN = new Set(['id', 'type', 'specversion', 'source']);

const attributeRule: Rule<string> = (name, path, tell) => {
  if (/^[a-z0-9]+$/.test(name) && !TAKEN.has(name)) return;
  const text = `invalid value: ${show(path, name)}: ${path}`;
  tell.fault(complaint(path, 'the name of an extension: lower-case letters and digits', show(path, name), { text }));
};

const brokerRule: Rule<Record<string, unknown>> = ({ kind, namespace }, path, tell) => {
  if (typeof kind === 'string' && kind.toLowerCase() !== 'broker') {
    const at = join(path, 'kind');
    tell.fault(complaint(at, '"Broker"', show(at, kind), { text: `invalid value: ${kind}: ${at}` }));
  }
  if (namespace !== undefined) {
    const at = join(path, 'namespace');
    tell.fault(
      complaint(at, 'no namespace: the broker is in the same one', show(at, namespace), {
        text: `must not set the field(s): ${at}`,
      }),
    );
  }
};

const Attribute = (name: string) =>
  Type.String({ default: name, rule: attributeRule, expected: 'the name of an extension' });

const SpecSchema = Fields(
  {
    brokerRef: Type.Unsafe<Reference>({ ...ReferenceSchema, rule: brokerRule }),
    /** Set on the event; an answer carries its value in the other one. */
    correlationAttribute: Attribute('correlationid'),
    replyAttribute: Attribute('replyid'),
    /** How long a request is held. */
    timeout: Type.String({
      default: 'PT30S',
      rule: periodRule('more than zero'),
      expected: 'an ISO-8601 period such as "PT30S"',
    }),
    delivery: Type.Optional(DeliverySchema),
  },
  { expected: 'an object with brokerRef' },
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
    metadata.labels = { ...metadata.labels, 'eventing.knative.dev/broker': spec.brokerRef.name };
    completeDelivery(spec.delivery, metadata.namespace);
  },
};
