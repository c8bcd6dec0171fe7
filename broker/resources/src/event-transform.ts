import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination, DestinationSchema } from './destination.ts';
import { complaint } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import { join } from './path.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

const JsonataSchema = Fields(
  { expression: Text({ expected: 'a JSONata expression' }) },
  { expected: 'an object with an expression' },
);

const replyRule: Rule<Record<string, unknown>> = ({ jsonata, discard }, path, tell) => {
  if (jsonata !== undefined && discard === true) {
    const text = `expected exactly one, got both: ${join(path, 'jsonata')}, ${join(path, 'discard')}`;
    tell.fault(complaint(join(path, 'discard'), 'jsonata or discard', 'both', { text }));
  } else if (jsonata === undefined && discard !== true) {
    tell.receipt(path, `${path} has neither jsonata nor discard: the answer of the sink passes as it is`);
  }
};

const specRule: Rule<Record<string, unknown>> = ({ sink, reply }, path, tell) => {
  if (reply !== undefined && sink === undefined) {
    const at = join(path, 'reply');
    const text = 'reply is set without spec.sink';
    tell.fault(complaint(at, 'a sink beside it, whose answer it is about', 'none', { text }));
  }
  if ((sink as { CACerts?: unknown } | null | undefined)?.CACerts !== undefined) {
    const text = 'CACerts for the sink is not supported for JSONata transformations';
    tell.fault(complaint(join(join(path, 'sink'), 'CACerts'), 'none', 'certificates', { text }));
  }
};

const SpecSchema = Fields(
  {
    jsonata: JsonataSchema,
    /** Takes the result; without it, that is the answer. */
    sink: Type.Optional(DestinationSchema),
    /** What becomes of the sink's answer; without it, it passes as it is. */
    reply: Type.Optional(
      Fields(
        { jsonata: Type.Optional(JsonataSchema), discard: Type.Optional(Type.Boolean()) },
        { rule: replyRule, expected: 'an object with jsonata or discard' },
      ),
    ),
  },
  { rule: specRule, expected: 'an object with jsonata' },
);

/** What an {@link EventTransform} says. */
export type EventTransformSpec = Static<typeof SpecSchema>;

/** Makes another event of each, by an expression (eventing.knative.dev/v1alpha1). */
export type EventTransform = Resource<'EventTransform', EventTransformSpec>;

/** The kind EventTransform. */
export const eventTransformKind: KindDefinition<EventTransform> = {
  kind: 'EventTransform',
  apiVersions: ['eventing.knative.dev/v1alpha1'],
  schema: Fields({
    apiVersion: Type.String(),
    kind: Type.Literal('EventTransform'),
    metadata: MetadataSchema,
    spec: SpecSchema,
    status: Type.Optional(Type.Unknown()),
  }),
  complete({ metadata, spec }) {
    completeDestination(spec.sink, metadata.namespace);
  },
};
