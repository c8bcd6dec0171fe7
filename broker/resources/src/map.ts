import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDelivery, DeliverySchema } from './delivery.ts';
import { completeDestination, DestinationSchema } from './destination.ts';
import { periodRule } from './duration.ts';
import { complaint, show } from './fault.ts';
import { parseItemsPath } from './items-path.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import type { Rule } from './schema.ts';

const DEADLINE = 'PT1H';

const pathRule: Rule<string> = (text, path, tell) => {
  if (parseItemsPath(text) !== undefined) return;
  const expected = `a path of .name, ['name'] and [0] from "$", such as "$.order.lines"`;
  tell.fault(complaint(path, expected, show(path, text)));
};

const noDeadline: Rule<Record<string, unknown>> = (spec, path, tell) => {
  if (spec['deadline'] === undefined)
    tell.receipt(path, `${path} has no deadline: ${DEADLINE} is taken, then the Map fails`);
};

const SpecSchema = Fields(
  {
    /** From the event's data to the list. */
    itemsPath: Type.String({ default: '$', rule: pathRule, expected: 'a path such as "$.order.lines"' }),
    /** So many items of one event are under way at once; 0 leaves it to the bus. */
    maxConcurrency: Type.Integer({ minimum: 0, default: 0, expected: 'an integer >= 0' }),
    /** So many items may fail, and are named in the result; one more makes the Map fail. */
    toleratedFailures: Type.Integer({ minimum: 0, default: 0, expected: 'an integer >= 0' }),
    /** From the arrival of the event. */
    deadline: Type.String({
      default: DEADLINE,
      rule: periodRule('more than zero'),
      expected: 'an ISO-8601 period such as "PT1H"',
    }),
    subscriber: DestinationSchema,
    delivery: Type.Optional(DeliverySchema),
    /** Where the one event goes. */
    reply: Type.Optional(DestinationSchema),
  },
  { rule: noDeadline, expected: 'an object with a subscriber' },
);

/** What a {@link MapFlow} says. */
export type MapFlowSpec = Static<typeof SpecSchema>;

/** One event for each item of a list, and one that tells what came of them, in order (kind `Map`, flows.millrace.dev/v1alpha1). */
export type MapFlow = Resource<'Map', MapFlowSpec>;

/** The kind Map. */
export const mapKind: KindDefinition<MapFlow> = {
  kind: 'Map',
  apiVersions: ['flows.millrace.dev/v1alpha1'],
  schema: Fields({
    apiVersion: Type.String(),
    kind: Type.Literal('Map'),
    metadata: MetadataSchema,
    spec: SpecSchema,
    status: Type.Optional(Type.Unknown()),
  }),
  complete({ metadata, spec }) {
    completeDestination(spec.subscriber, metadata.namespace);
    completeDelivery(spec.delivery, metadata.namespace);
    completeDestination(spec.reply, metadata.namespace);
  },
};
