import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { completeDestination, DestinationSchema } from './destination.ts';
import { FILTER_DEFINITIONS, FilterSchema } from './filter.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import type { Rule } from './schema.ts';

const noDefault: Rule<Record<string, unknown>> = (spec, path, tell) => {
  if (spec['default'] === undefined)
    tell.receipt(path, `${path} has no default: an event that no choice takes ends there`);
};

const SpecSchema = Fields(
  {
    /** The first whose filters all pass takes the event. */
    choices: Type.Array(
      Fields(
        {
          filters: Type.Array(FilterSchema, { minItems: 1, expected: 'a list of at least one filter' }),
          subscriber: DestinationSchema,
          delivery: Type.Optional(DeliverySchema),
        },
        { expected: 'a choice: an object with filters and subscriber' },
      ),
      { minItems: 1, expected: 'a list of at least one choice' },
    ),
    /** Takes what no choice takes. */
    default: Type.Optional(
      Fields(
        { subscriber: DestinationSchema, delivery: Type.Optional(DeliverySchema) },
        { expected: 'an object with a subscriber' },
      ),
    ),
    /** Where answers go. */
    reply: Type.Optional(DestinationSchema),
  },
  { rule: noDefault, expected: 'an object with choices' },
);

/** What a {@link Choice} says. */
export type ChoiceSpec = Static<typeof SpecSchema>;

/** Exactly one way for each event: the first choice whose filters let it pass, or the default (flows.millrace.dev/v1alpha1). */
export type Choice = Resource<'Choice', ChoiceSpec>;

/** The kind Choice. */
export const choiceKind: KindDefinition<Choice> = {
  kind: 'Choice',
  apiVersions: ['flows.millrace.dev/v1alpha1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Choice'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { $defs: FILTER_DEFINITIONS },
  ),
  complete({ metadata, spec }) {
    for (const option of [...spec.choices, ...(spec.default === undefined ? [] : [spec.default])]) {
      completeDestination(option.subscriber, metadata.namespace);
      completeDelivery(option.delivery, metadata.namespace);
    }
    completeDestination(spec.reply, metadata.namespace);
  },
};
