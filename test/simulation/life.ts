import { Dispatcher } from '@millrace/bus/delivery/dispatcher';
import { openGate } from '@millrace/bus/log/gate';
import type { Gate } from '@millrace/bus/log/gate';
import { withExtensions } from '@millrace/event/event';

import { mortal } from './mortal.ts';
import type { Mortal, MortalOptions } from './mortal.ts';

/** A dispatcher and what it stands on, from its start until its drain or its sudden end. */
export interface Life extends Pick<Mortal, 'isOver' | 'pending' | 'end'> {
  readonly dispatcher: Dispatcher;
  /** The way in. Gives each event that enters a number of its own, as the extension `number`. */
  readonly gate: Gate;
}

export interface LifeOptions extends MortalOptions {
  readonly number: () => number;
}

export function startLife({ number, ...options }: LifeOptions): Life {
  const own = mortal(options);
  const { store, environment } = own;
  const real = openGate({ log: store.log, maxEventBytes: 1_000, now: () => environment.now() });
  const gate: Gate = {
    enter: (topic, arrivals, settlement) =>
      real.enter(
        topic,
        arrivals.map((one) => ({ ...one, event: withExtensions(one.event, { number: number() }) })),
        settlement,
      ),
  };
  return {
    dispatcher: new Dispatcher({ log: store.log, progress: store.progress, gate, environment }),
    gate,
    get isOver() {
      return own.isOver;
    },
    get pending() {
      return own.pending;
    },
    end: () => own.end(),
  };
}
