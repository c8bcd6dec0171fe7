import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination, DestinationSchema } from './destination.ts';
import { complaint } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

const JsonataSchema = Fields(
  { expression: Text({ expected: 'a JSONata expression' }) },
  { expected: 'an object with an expression' },
);

const replyRule: Rule<Record<string, unknown>> = ({ jsonata, discard }, path, tell) => {
  if ((jsonata === undefined) !== (discard !== true)) return;
  const [got, word] = jsonata === undefined ? ['neither', 'none'] : ['both', 'both'];
  const text = `expected exactly one, got ${got === 'both' ? 'both' : 'neither'}: ${path}.discard, ${path}.jsonata`;
  tell.fault(complaint(path, 'jsonata, or discard: true', word, { text }));
};

const specRule: Rule<Record<string, unknown>> = ({ sink, reply }, path, tell) => {
  if (reply !== undefined && sink === undefined) {
    const text = `reply is set without spec.sink: ${path}.reply`;
    tell.fault(complaint(`${path}.reply`, 'no reply without a sink, whose answer it is', 'a reply', { text }));
  }
  if ((sink as { CACerts?: unknown } | undefined)?.CACerts !== undefined) {
    const text = `must not set the field(s): ${path}.sink.CACerts`;
    tell.fault(complaint(`${path}.sink.CACerts`, 'no certificates', 'some', { text }));
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
