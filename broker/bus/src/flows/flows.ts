import type { Answer, HandlerContext } from '@millrace/event/handler';

import type { Entry } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';
import type { JoinTarget, MapTarget } from '../plan/plan.ts';
import type { Gathering } from './gathering.ts';
import { openJoin } from './join.ts';
import { openMap } from './map.ts';
import { Strands } from './strands.ts';
import type { StrandsOptions } from './strands.ts';

export type FlowsOptions = Omit<Gathering, 'strands'> & StrandsOptions;

/** Joins and maps at work: what waits for the parts of an event. */
export class Flows {
  readonly #gathering: Gathering;
  readonly #strands: Strands;

  constructor(options: FlowsOptions) {
    this.#strands = new Strands(options);
    this.#gathering = { ...options, strands: this.#strands };
  }

  /** The target of a flow's route that joins branches. `flow` is the name of the route. */
  join(flow: string, target: JoinTarget): (entry: Entry, context: HandlerContext) => Promise<Answer> {
    return openJoin(flow, target, this.#gathering);
  }

  /** The target of a flow's route that makes events of items and joins them. */
  map(flow: string, target: MapTarget): (entry: Entry, context: HandlerContext) => Promise<Answer> {
    return openMap(flow, target, this.#gathering);
  }

  /** Is told of what entered the log. */
  entered(entries: readonly Entry[]): void {
    this.#strands.entered(entries);
  }

  /** Is told what became of each attempt, when that is durable. */
  settled(settlement: Settlement): void {
    this.#strands.settled(settlement);
  }
}
