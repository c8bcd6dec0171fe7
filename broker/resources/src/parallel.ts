import { Type } from 'typebox';
import type { Static } from 'typebox';
import { ChannelTemplateSchema, completeChannelTemplate } from './channel-template.ts';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { completeDestination, DestinationSchema } from './destination.ts';
import { complaint } from './fault.ts';
import { FILTER_DEFINITIONS, FilterSchema } from './filter.ts';
import { joinRule } from './join.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import { join } from './path.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import type { Rule } from './schema.ts';

const oneFilter: Rule<Record<string, unknown>> = ({ filter, filters }, path, tell) => {
  if (filter === undefined || filters === undefined) return;
  tell.fault(complaint(join(path, 'filters'), 'filter (a service) or filters (in the bus)', 'both'));
};

const BranchSchema = Fields(
  {
    /** A service that answers with what the branch goes on with, or with nothing. */
    filter: Type.Optional(DestinationSchema),
    /** Ours: filters as a Trigger has them, without a call. All of them must pass. */
    filters: Type.Optional(Type.Array(FilterSchema, { expected: 'a list of filters' })),
    subscriber: DestinationSchema,
    /** In place of the Parallel's. */
    reply: Type.Optional(DestinationSchema),
    delivery: Type.Optional(DeliverySchema),
  },
  { rule: oneFilter, expected: 'a branch: an object with a subscriber' },
);

const SpecSchema = Fields(
  {
    branches: Type.Array(BranchSchema, { minItems: 1, expected: 'a list of at least one branch' }),
    channelTemplate: ChannelTemplateSchema,
    /** Where answers go whose branch says nothing else. */
    reply: Type.Optional(DestinationSchema),
  },
  { expected: 'an object with branches' },
);

/** What a {@link Parallel} says. */
export type ParallelSpec = Static<typeof SpecSchema>;

/** Branches that an event goes through at once, each by itself (flows.knative.dev/v1), or joined where our annotations ask for it. */
export type Parallel = Resource<'Parallel', ParallelSpec>;

/** The kind Parallel. */
export const parallelKind: KindDefinition<Parallel> = {
  kind: 'Parallel',
  apiVersions: ['flows.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Parallel'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: joinRule, $defs: FILTER_DEFINITIONS },
  ),
  complete({ metadata, spec }) {
    for (const branch of spec.branches) {
      completeDestination(branch.filter, metadata.namespace);
      completeDestination(branch.subscriber, metadata.namespace);
      completeDestination(branch.reply, metadata.namespace);
      completeDelivery(branch.delivery, metadata.namespace);
    }
    completeDestination(spec.reply, metadata.namespace);
    completeChannelTemplate(spec.channelTemplate, metadata.namespace);
  },
};
