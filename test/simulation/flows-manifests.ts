import { compilePlan } from '@millrace/bus/plan/compile';
import type { Plan } from '@millrace/bus/plan/plan';
import { readManifest } from '@millrace/resources/manifest';

import { declare, refTo, service } from '../support/flows.ts';
import { FUNCTIONS } from './flows-scenario.ts';
import type { FlowPlan, FlowScenario, StepPlan, To } from './flows-scenario.ts';

/** Which variant of each flow is declared; undefined for one that is not. */
export type Chosen = readonly (number | undefined)[];

/**
 * The scenario's flows as a plan, beside them a channel with a Subscription and a broker with a Trigger that lead into
 * the first flow, and a channel for dead letters.
 */
export function planOf(scenario: FlowScenario, chosen: Chosen): Plan {
  const documents = Array.from({ length: FUNCTIONS }, (_, index) => service(functionName(index)));
  documents.push(
    declare('InMemoryChannel', 'dead'),
    declare('InMemoryChannel', 'way-in'),
    declare('Subscription', 'way-in', {
      channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'way-in' },
      subscriber: refTo('Service', functionName(0)),
      reply: refTo(scenario.flows[0]!.kind, flowName(0)),
      delivery: DELIVERY,
    }),
    declare('Broker', 'default'),
    `---\n${JSON.stringify({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: 'way-in', namespace: 'default' },
      spec: {
        broker: 'default',
        filter: { attributes: { type: 'a' } },
        subscriber: refTo(scenario.flows[0]!.kind, flowName(0)),
      },
    })}\n`,
  );
  scenario.flows.forEach((flow, index) => {
    const variant = chosen[index];
    if (variant !== undefined) documents.push(flowDocument(scenario, index, flow, flow.variants[variant]!));
  });
  const { declared, faults } = readManifest(documents.join(''), 'simulated.yaml');
  const plan = compilePlan(declared, 'http://simulated');
  const wrong = [...faults, ...plan.faults].map((it) => `${it.path}: ${it.message}`);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return plan;
}

export function functionName(index: number): string {
  return `f${index}`;
}

/** The path of a door, by its number. */
export function doorPath({ flows }: FlowScenario, door: number): string {
  if (door < flows.length) return `/flows/${flows[door]!.kind.toLowerCase()}/default/${flowName(door)}`;
  return door % 2 === 0 ? '/channels/default/way-in' : '/default/default';
}

const DELIVERY = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT0.05S' };

function flowName(index: number): string {
  return `flow-${index}`;
}

function flowDocument(scenario: FlowScenario, index: number, flow: FlowPlan, steps: readonly StepPlan[]): string {
  const isJoined = flow.kind === 'Map' || (flow.kind === 'Parallel' && flow.join !== undefined);
  const next = index + 1 < scenario.flows.length ? index + 1 : undefined;
  const reply = flow.reply && next !== undefined ? { reply: refTo(scenario.flows[next]!.kind, flowName(next)) } : {};
  const destination = (to: To) => {
    // What is joined is followed through other flows, but not through a Parallel that is not: nothing says which way.
    const leadsOn = 'flow' in to && to.flow > index && to.flow < scenario.flows.length;
    if (!leadsOn || (isJoined && !canBeFollowed(scenario, to.flow)))
      return refTo('Service', functionName('fn' in to ? to.fn : to.flow % FUNCTIONS));
    return refTo(scenario.flows[to.flow]!.kind, flowName(to.flow));
  };
  const delivery = ({ retry, sink }: StepPlan) => ({
    ...DELIVERY,
    retry,
    ...(sink ? { deadLetterSink: refTo('InMemoryChannel', 'dead') } : {}),
  });
  switch (flow.kind) {
    case 'Sequence':
      return declare(flow.kind, flowName(index), {
        steps: steps.map((it) => ({ ...destination(it.to), delivery: delivery(it) })),
        ...reply,
      });
    case 'Parallel': {
      const { join } = flow;
      const unlikeSteps = unlike(steps);
      const annotations: Record<string, string> =
        join === undefined
          ? {}
          : {
              'millrace.dev/join': join.wanted === '2' && unlikeSteps.length < 2 ? '1' : join.wanted,
              'millrace.dev/join-failures': join.failures,
              'millrace.dev/join-deadline': join.deadline,
            };
      const branches = unlikeSteps.map((it) => {
        const filter = flow.filters[('fn' in it.to ? it.to.fn : it.to.flow) % FUNCTIONS];
        return {
          subscriber: destination(it.to),
          delivery: delivery(it),
          filters: filter === 'type' ? [{ exact: { type: 'a' } }] : undefined,
          filter: filter === 'service' ? refTo('Service', functionName(FUNCTIONS - 1)) : undefined,
        };
      });
      return declare(flow.kind, { name: flowName(index), annotations }, { branches, ...reply });
    }
    case 'Choice': {
      const [last, ...others] = steps;
      const choices = [...others, last!].map((it, at) => ({
        filters: [{ exact: { type: at === 0 ? 'a' : 'b' } }],
        subscriber: destination(it.to),
        delivery: delivery(it),
      }));
      return declare(flow.kind, flowName(index), {
        choices,
        default: { subscriber: refTo('Service', functionName(1)), delivery: DELIVERY },
        ...reply,
      });
    }
    case 'Map':
      return declare(flow.kind, flowName(index), {
        itemsPath: '$.items',
        maxConcurrency: flow.maxConcurrency,
        toleratedFailures: flow.toleratedFailures,
        deadline: 'PT1H',
        subscriber: destination(steps[0]!.to),
        delivery: delivery(steps[0]!),
        ...reply,
      });
  }
}

/** Whether all that comes of an event in this flow, and those that its steps are, has one way. */
function canBeFollowed(scenario: FlowScenario, index: number): boolean {
  const flow = scenario.flows[index]!;
  if (flow.kind === 'Parallel' && flow.join === undefined) return false;
  return flow.variants
    .flat()
    .every(
      ({ to }) =>
        !('flow' in to) || to.flow <= index || to.flow >= scenario.flows.length || canBeFollowed(scenario, to.flow),
    );
}

/** A branch is known by what it calls; the second that calls the same would be known by its place. */
function unlike(steps: readonly StepPlan[]): readonly StepPlan[] {
  const keyOf = ({ to }: StepPlan) => JSON.stringify(to);
  return steps.filter((it, index) => steps.findIndex((other) => keyOf(other) === keyOf(it)) === index);
}
