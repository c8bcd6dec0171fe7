import type { Scaling } from '@millrace/resources/scaling';

import { atLeast, atMost } from './wanted.ts';
import type { Wanted } from './wanted.ts';

/** What a revision is bound by at a moment. */
export interface Stage {
  /** Whether initial-scale was reached once; it counts only until then. */
  readonly wasReached: boolean;
  /** False for a revision that no traffic is routed to: its min-scale does not count. */
  readonly isReachable: boolean;
}

/** The bounds that an author and a machine set to the number of instances (knative.md §9.4, last line). */
export class Bounds {
  readonly #scaling: Scaling;
  readonly #most: number;

  /** `mostInstances` counts where the author sets no max-scale; a higher min-scale beats it. */
  constructor(scaling: Scaling, mostInstances: number) {
    this.#scaling = scaling;
    this.#most = scaling.maxScale || Math.max(mostInstances, scaling.minScale);
  }

  /** With so many ready the revision is active, and its initial scale reached. */
  leastReady(stage: Stage): number {
    const initialScale = stage.wasReached ? 0 : this.#scaling.initialScale;
    return Math.min(Math.max(1, this.#minScale(stage), initialScale), this.#most);
  }

  /** What is wanted, raised to the lower bounds, but never above the upper one. */
  hold(wanted: Wanted, stage: Stage): Wanted {
    const { initialScale, maxScale } = this.#scaling;
    const minScale = this.#minScale(stage);
    // An initial scale of 1 is no bound: it is the gate to zero that keeps the one.
    const initial = initialScale > 1 && !stage.wasReached ? initialScale : 0;
    const raised = atLeast(initial, atLeast(minScale, wanted, `min-scale ${minScale}`), `initial-scale ${initial}`);
    const upper = maxScale > 0 ? `max-scale ${maxScale}` : `at most ${this.#most} instances without a max-scale`;
    return atMost(this.#most, raised, upper);
  }

  #minScale({ isReachable }: Stage): number {
    return isReachable ? this.#scaling.minScale : 0;
  }
}
