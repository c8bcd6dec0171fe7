import type { Scaling } from '@millrace/resources/scaling';

import type { MetricTarget } from './target.ts';
import { atLeast, atMost } from './wanted.ts';
import type { Wanted } from './wanted.ts';
import { panicWindowMs } from './window.ts';

/** max-scale-up-rate: how many times as many there may be at once (knative.md §9.1). */
const MAX_SCALE_UP_RATE = 1000;
/** max-scale-down-rate: by how much their number may be divided at once. */
const MAX_SCALE_DOWN_RATE = 2;
/** tick-interval: how often Knative decides, and the grain of scale-down-delay. Milliseconds. */
export const TICK_MS = 2_000;

/** What a decision is made on. */
export interface Load {
  /** Milliseconds. */
  readonly now: number;
  /** Instances that take calls. */
  readonly ready: number;
  /** The averages of the metric over the stable and over the panic window. */
  readonly stable: number;
  readonly panic: number;
  /** False for a revision that no traffic is routed to: it may end at once. */
  readonly isReachable: boolean;
}

/** A burst has come: until it has made its way into the stable window there are not fewer instances. */
export interface PanicState {
  /** When the load was last above the threshold. */
  readonly since: number;
  /** The most instances that were wanted in this panic. */
  readonly mostInstances: number;
}

/** What one decision leaves to the next. */
export interface DecisionState {
  /** Undefined: calm. */
  readonly panic: PanicState | undefined;
  /** For scale-down-delay: the highest decision first, then the highest after it, and so on. `tick` counts TICK_MS. */
  readonly recent: readonly { readonly tick: number; readonly instances: number }[];
}

/** The state of a new autoscaler. When it finds several instances it keeps them until it has seen their load. */
export function firstDecisionState(now: number, ready: number): DecisionState {
  return { panic: ready > 1 ? { since: now, mostInstances: ready } : undefined, recent: [] };
}

/** How many instances a load wants, before bounds (knative.md §9.4). Pure: the state comes in and goes out. */
export function decide(
  load: Load,
  scaling: Scaling,
  target: MetricTarget,
  state: DecisionState,
): Wanted & { readonly state: DecisionState } {
  const panic = panicAfter(load, scaling, target, state.panic);
  const stable = demand(load, load.stable, scaling.windowMs, scaling, target);
  if (panic === undefined) return delayed(stable, { panic, recent: state.recent }, load, scaling);
  const burst = demand(load, load.panic, panicWindowMs(scaling), scaling, target);
  const wanted = atLeast(
    panic.mostInstances,
    burst.instances > stable.instances ? { ...burst, reason: `a burst: ${burst.reason}` } : stable,
    `not fewer until the last burst is ${scaling.windowMs / 1000} s ago`,
  );
  return delayed(wanted, { panic: { ...panic, mostInstances: wanted.instances }, recent: state.recent }, load, scaling);
}

/** Room that is left for a burst: negative when it would find too few instances (knative.md §9.4, EBC). */
export function excessBurstCapacity(
  { targetBurstCapacity }: Scaling,
  { total }: MetricTarget,
  ready: number,
  panicAverage: number,
): number {
  if (targetBurstCapacity <= 0) return targetBurstCapacity;
  return Math.floor(ready * total - targetBurstCapacity - panicAverage);
}

/** Panic begins, or begins again, above the threshold, and ends a stable window after it was last there. */
function panicAfter(
  { now, ready, panic }: Load,
  { panicThresholdPercentage, windowMs }: Scaling,
  { target }: MetricTarget,
  before: PanicState | undefined,
): PanicState | undefined {
  const isOver = Math.ceil(panic / target) / Math.max(1, ready) >= panicThresholdPercentage / 100;
  if (isOver) return { since: now, mostInstances: before?.mostInstances ?? 0 };
  return before !== undefined && before.since + windowMs >= now ? before : undefined;
}

/** The instances for one average: within what may change at once, and when any, then at least activation-scale. */
function demand(
  load: Load,
  average: number,
  windowMs: number,
  { activationScale }: Scaling,
  { metric, target }: MetricTarget,
): Wanted {
  const ready = Math.max(1, load.ready);
  const most = Math.ceil(MAX_SCALE_UP_RATE * ready);
  const least = load.isReachable ? Math.floor(ready / MAX_SCALE_DOWN_RATE) : 0;
  const needed = Math.ceil(average / target);
  const calls = metric === 'rps' ? 'calls a second' : 'calls at once';
  const reason = `${rounded(average)} ${calls} on average in ${windowMs / 1000} s, ${rounded(target)} for each instance`;
  const wanted = atMost(most, { instances: needed, reason }, `at most ${MAX_SCALE_UP_RATE} times as many at once`);
  const allowed = atLeast(least, wanted, 'at most halved at once');
  return needed > 0 ? atLeast(activationScale, allowed, `activation-scale ${activationScale}`) : allowed;
}

/** The highest decision of scale-down-delay in place of a lower one. */
function delayed(
  wanted: Wanted,
  state: DecisionState,
  { now, isReachable }: Load,
  { scaleDownDelayMs }: Scaling,
): Wanted & { readonly state: DecisionState } {
  if (!isReachable || scaleDownDelayMs === 0) return { ...wanted, state };
  const tick = Math.floor(now / TICK_MS);
  const oldest = tick - Math.ceil(scaleDownDelayMs / TICK_MS);
  const higher = state.recent.filter((decision) => decision.tick > oldest && decision.instances > wanted.instances);
  const recent = [...higher, { tick, instances: wanted.instances }];
  const reason = `scale-down-delay of ${scaleDownDelayMs / 1000} s`;
  return { ...atLeast(recent[0]!.instances, wanted, reason), state: { ...state, recent } };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
