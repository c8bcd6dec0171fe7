import type { Choice } from '@millrace/resources/choice';
import type { DeliverySpec } from '@millrace/resources/delivery';
import type { Destination } from '@millrace/resources/destination';
import type { Filter } from '@millrace/resources/filter';
import { keyOf } from '@millrace/resources/resource';

import type { TriggerFilter } from '../filter/trigger-filter.ts';
import { conditionsOf } from './conditions.ts';
import { flowInlet } from './flow-inlet.ts';
import { concurrencyFault, filterFault, planPart, planResults } from './parts.ts';
import type { Planned, Whole } from './parts.ts';
import { flowName, resultsTopic, stepNames } from './topics.ts';
import type { World } from './world.ts';

const CONDITIONS = ['ChoicesReady', 'Addressable', 'EventPoliciesReady'];

/** A Choice is a topic that exactly one of its routes takes an event from: each asks also that none before it does. */
export function planChoice(choice: Choice, world: World, dataUrl: string): Planned {
  const { metadata, spec } = choice;
  const key = keyOf(choice);
  const flow = flowName(choice);
  const results = resultsTopic(flow);
  const whole: Whole = { key, metadata, condition: 'ChoicesReady', manner: 'flow' };
  const end = planResults(spec.reply, results, whole, world);
  const inlet = flowInlet(choice, flow);

  const options: Option[] = spec.choices.map((it, index) => ({
    path: `spec.choices[${index}]`,
    subscriber: it.subscriber,
    delivery: it.delivery,
    filter: { filters: [...it.filters, ...noneOf(spec.choices.slice(0, index).map((before) => before.filters))] },
  }));
  if (spec.default !== undefined) {
    const filter = { filters: noneOf(spec.choices.map((it) => it.filters)) };
    options.push({ path: 'spec.default', ...spec.default, filter });
  }
  const names = stepNames(options.map((it) => it.subscriber));
  const parts = options.map(({ path, ...option }, index) => {
    const name = names[index]!;
    const part = { name: `${flow}/${name}`, topic: flow, step: { flow, name }, replyTopic: results };
    const { route, trouble } = planPart({ ...part, ...option }, whole, world);
    return { route, trouble: trouble && { ...trouble, message: `${path}: ${trouble.message}` } };
  });
  const trouble = parts.find((it) => it.trouble !== undefined)?.trouble ?? end.trouble;
  const conditions = conditionsOf(CONDITIONS, { ChoicesReady: trouble });
  const faults = spec.choices.map(({ filters }, index) => filterFault({ filters }, `spec.choices[${index}].`, key));
  return {
    inlets: [inlet],
    routes: [...parts.map((it) => it.route), ...end.routes],
    statuses: new Map([
      [
        key,
        { kind: 'Choice', namespace: metadata.namespace, name: metadata.name, conditions, url: dataUrl + inlet.path },
      ],
    ]),
    faults: [...faults, concurrencyFault(metadata, key)].filter((it) => it !== undefined),
  };
}

interface Option {
  readonly path: string;
  readonly subscriber: Destination;
  readonly delivery?: DeliverySpec | undefined;
  readonly filter: TriggerFilter;
}

/** What none of these lists of filters lets pass. */
function noneOf(lists: readonly (readonly Filter[])[]): { not: { any: readonly { all: readonly Filter[] }[] } }[] {
  return lists.length === 0 ? [] : [{ not: { any: lists.map((all) => ({ all })) } }];
}
