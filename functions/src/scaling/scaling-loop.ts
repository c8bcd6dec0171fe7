import type { Scaling } from '@millrace/resources/scaling';

import { Autoscaler } from '../autoscaler/autoscaler.ts';
import type { Decision } from '../autoscaler/autoscaler.ts';
import { TICK_MS } from '../autoscaler/decide.ts';
import { ConcurrencyMeter } from '../autoscaler/meter.ts';
import type { Clock } from '../clock.ts';

/** How often what happened is measured, in milliseconds (knative.md §9.2). */
const OBSERVE_MS = 1_000;

export interface ScalingLoopOptions {
  readonly scaling: Scaling;
  readonly containerConcurrency: number;
  readonly clock: Clock;
  /** How many instances take calls now. */
  readonly ready: () => number;
  /** Whether there is anything to scale: instances, or calls. Without that the loop rests. */
  readonly isNeeded: () => boolean;
  readonly decided: (decision: Decision) => void;
}

/**
 * Keeps an autoscaler supplied: measures the calls, observes each second, decides each two. A function that has neither
 * instances nor calls has no timer.
 */
export class ScalingLoop {
  readonly #options: ScalingLoopOptions;
  readonly #autoscaler: Autoscaler;
  readonly #meter: ConcurrencyMeter;
  #last: Decision | undefined;
  #cancel: (() => void) | undefined;
  #decideAt = 0;

  constructor(options: ScalingLoopOptions) {
    this.#options = options;
    const { scaling, containerConcurrency, clock, ready } = options;
    const now = clock.now();
    this.#meter = new ConcurrencyMeter(now);
    this.#autoscaler = new Autoscaler({ scaling, containerConcurrency, now, ready: ready() });
  }

  /** What was decided last; undefined before the first time. */
  get last(): Decision | undefined {
    return this.#last;
  }

  /** So many calls there are from now on, with those that wait. */
  changed(calls: number): void {
    this.#meter.changed(this.#options.clock.now(), calls);
  }

  /** A first call has come while no instance was there. */
  poke(): void {
    this.#autoscaler.poke(this.#options.clock.now());
  }

  /** Something begins that is to be scaled: an instance, or a call. */
  run(): void {
    if (this.#cancel !== undefined) return;
    const now = this.#options.clock.now();
    // What was before is over: a silence is not measured second by second.
    this.#meter.sample(now);
    this.#decideAt = now + TICK_MS;
    this.#next();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #next(): void {
    this.#cancel = this.#options.clock.after(OBSERVE_MS, () => {
      this.#cancel = undefined;
      this.#observe();
      if (this.#options.isNeeded()) this.#next();
    });
  }

  #observe(): void {
    const { clock, ready, decided } = this.#options;
    const now = clock.now();
    this.#autoscaler.observe({ now, ready: ready(), ...this.#meter.sample(now) });
    if (now < this.#decideAt) return;
    this.#decideAt = now + TICK_MS;
    this.#last = this.#autoscaler.decide(now, ready());
    decided(this.#last);
  }
}
