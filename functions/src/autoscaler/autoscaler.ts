import type { Scaling } from '@millrace/resources/scaling';

import { Bounds } from './bounds.ts';
import type { Stage } from './bounds.ts';
import { decide, excessBurstCapacity, firstDecisionState } from './decide.ts';
import type { DecisionState, Load } from './decide.ts';
import type { Sample } from './meter.ts';
import { firstGateState, passGate } from './scale-to-zero.ts';
import type { GateState } from './scale-to-zero.ts';
import { metricTarget } from './target.ts';
import type { MetricTarget } from './target.ts';
import type { Wanted } from './wanted.ts';
import { MetricWindow, panicWindowMs } from './window.ts';

/** How many instances where the author sets no bound: they are processes of one machine. */
export const MOST_INSTANCES = 10;
/** progressDeadline (knative.md §9.1). */
const PROGRESS_DEADLINE_MS = 600_000;

/** What an autoscaler is made of. Times are milliseconds of one clock that does not go back. */
export interface AutoscalerOptions {
  readonly scaling: Scaling;
  /** How many calls one instance may have at once; 0: no limit. */
  readonly containerConcurrency: number;
  /** When the revision was made. */
  readonly now: number;
  /** How many instances there are already, when the revision is not new; 0 by default. */
  readonly ready?: number;
  /** How many there are at most where `scaling.maxScale` is 0; 10 by default, and never below `scaling.minScale`. */
  readonly mostInstances?: number;
  /** How long the first instances may take to start before a revision that nobody calls is given up; 10 min by default. */
  readonly progressDeadlineMs?: number;
}

/** One second of a revision: its sample counts the calls that instances have and those that wait in front. */
export interface Observation extends Sample {
  readonly now: number;
  /** Instances that take calls. */
  readonly ready: number;
}

/** How many instances a revision is to have. */
export interface Decision {
  readonly desired: number;
  /** What was measured: calls at once, or calls a second, on average over the stable window and over the panic window. */
  readonly stable: number;
  readonly panic: number;
  /** In a burst: there will not be fewer until it is over. */
  readonly isPanicking: boolean;
  /** How many more calls at once the instances could take beyond the burst that they are kept ready for. */
  readonly excessBurstCapacity: number;
  /** The rule that had the last word, for people. */
  readonly reason: string;
}

/**
 * Knative's pod autoscaler for one revision (knative.md §9). It has no clock and does nothing by itself: the caller
 * observes once a second, decides each TICK_MS, and makes it so.
 *
 *   calls ─▶ meter ─▶ observe ─▶ windows ─▶ decide ─▶ bounds ─▶ gate to zero ─▶ desired
 *
 * Deciding measures nothing, so the caller may also decide in between, such as when a call finds no room.
 */
export class Autoscaler {
  readonly #scaling: Scaling;
  readonly #target: MetricTarget;
  readonly #bounds: Bounds;
  readonly #progressDeadlineMs: number;
  readonly #stable: MetricWindow;
  readonly #panic: MetricWindow;
  #memory: DecisionState;
  #gate: GateState;
  /** initial-scale, or as many as there may be, were ready once. */
  #wasReached = false;
  #excess: number;
  #desired: number;
  /** A call that was observed before its second was over. */
  #poked = 0;

  constructor(options: AutoscalerOptions) {
    const { scaling, now, ready = 0, mostInstances = MOST_INSTANCES } = options;
    this.#scaling = scaling;
    this.#target = metricTarget(scaling, options.containerConcurrency);
    this.#bounds = new Bounds(scaling, mostInstances);
    this.#progressDeadlineMs = options.progressDeadlineMs ?? PROGRESS_DEADLINE_MS;
    this.#stable = new MetricWindow(scaling.windowMs, scaling.metricAggregationAlgorithm);
    this.#panic = new MetricWindow(panicWindowMs(scaling), scaling.metricAggregationAlgorithm);
    this.#memory = firstDecisionState(now, ready);
    this.#excess = excessBurstCapacity(scaling, this.#target, scaling.initialScale, 0);
    const first = { instances: Math.max(scaling.initialScale, ready), reason: '' };
    this.#desired = this.#bounds.hold(first, this.#stage(true)).instances;
    this.#gate = firstGateState(now, this.#desired);
  }

  /** Takes what was measured in the last second. Called once a second: what comes twice in a second adds up. */
  observe({ now, ready, concurrency, requests }: Observation): void {
    const poked = this.#poked;
    this.#poked = 0;
    // A revision that is not there reports nothing; zeros would hide the first call after a silence.
    if (ready === 0 && concurrency === 0 && requests === 0) return;
    const value = this.#target.metric === 'rps' ? requests : concurrency;
    this.#record(now, Math.max(0, value - poked));
  }

  /**
   * Takes the first call to a revision without instances at once, not when its second is over; `decide` right after
   * it wants an instance. What `observe` is given next has the call too: it is counted once.
   */
  poke(now: number): void {
    if (this.#poked > 0) return;
    this.#poked = 1;
    this.#record(now, 1);
  }

  /**
   * Decides how many instances there are to be. `ready` take calls now. `isReachable` is false when no traffic is
   * routed to the revision: then min-scale and scale-down-delay are nothing to it.
   */
  decide(now: number, ready: number, isReachable = true): Decision {
    const stage = this.#stage(isReachable);
    const leastReady = this.#bounds.leastReady(stage);
    const stable = this.#stable.average(now);
    const panic = this.#panic.average(now);
    const decided = this.#decided({ now, ready, stable, panic, isReachable });
    const wanted = decided && this.#bounds.hold(decided, stage);
    const passed = passGate(
      {
        now,
        wanted: wanted?.instances,
        ready,
        leastReady,
        excessBurstCapacity: this.#excess,
        scaling: this.#scaling,
        progressDeadlineMs: this.#progressDeadlineMs,
      },
      this.#gate,
    );
    this.#gate = passed.state;
    this.#wasReached ||= ready >= leastReady;
    this.#desired = passed.instances ?? this.#desired;
    return {
      desired: this.#desired,
      stable,
      panic,
      isPanicking: this.#memory.panic !== undefined,
      excessBurstCapacity: this.#excess,
      reason: passed.reason ?? wanted?.reason ?? 'nothing was measured: as many as before',
    };
  }

  #record(now: number, value: number): void {
    this.#stable.record(now, value);
    this.#panic.record(now, value);
  }

  /** What the load wants; undefined when there is nothing to go by. */
  #decided(load: Load): Wanted | undefined {
    if (this.#stable.isEmpty(load.now)) {
      // What never becomes ready is never measured; it must be possible to give it up.
      return this.#gate.phase === 'activating' ? { instances: 0, reason: 'nothing was measured' } : undefined;
    }
    const { state, ...wanted } = decide(load, this.#scaling, this.#target, this.#memory);
    this.#memory = state;
    this.#excess = excessBurstCapacity(this.#scaling, this.#target, load.ready, load.panic);
    return wanted;
  }

  #stage(isReachable: boolean): Stage {
    return { wasReached: this.#wasReached, isReachable };
  }
}
