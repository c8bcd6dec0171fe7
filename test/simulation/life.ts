import { Dispatcher } from '@millrace/bus/delivery/dispatcher';
import type { Environment } from '@millrace/bus/environment';
import { openGate } from '@millrace/bus/log/gate';
import type { Gate } from '@millrace/bus/log/gate';
import type { Store } from '@millrace/bus/log/store';
import { withExtensions } from '@millrace/event/event';

/** A dispatcher and what it stands on, from its start until its drain or its sudden end. */
export interface Life {
  readonly dispatcher: Dispatcher;
  /** The way in. Gives each event that enters a number of its own, as the extension `number`. */
  readonly gate: Gate;
  readonly isOver: boolean;
  /** Writes that the store has not made yet. */
  readonly pending: number;
  /** As a crash: nothing more is called, nothing more is written, nothing more comes back. */
  end(): void;
}

export interface LifeOptions {
  readonly store: Store;
  readonly environment: Environment;
  /** Milliseconds that the next write takes. */
  readonly latency: () => number;
  readonly number: () => number;
}

const NEVER = new Promise<never>(() => {});

export function startLife({ store, environment, latency, number }: LifeOptions): Life {
  let isOver = false;
  let pending = 0;
  let writing: Promise<unknown> = Promise.resolve();

  const mortal: Environment = {
    ...environment,
    after: (milliseconds, call) =>
      environment.after(milliseconds, () => {
        if (!isOver) call();
      }),
  };
  const wait = (milliseconds: number) =>
    milliseconds === 0 ? undefined : new Promise<void>((resolve) => void mortal.after(milliseconds, resolve));

  /** One write after the other, as a log on a disk has it. */
  function write<T>(make: () => Promise<T>): Promise<T> {
    pending += 1;
    const written = writing.then(async () => {
      await wait(latency());
      if (isOver) return NEVER;
      pending -= 1;
      return make();
    });
    writing = written;
    return written;
  }

  const log: Store['log'] = { ...store.log, append: (...all) => write(() => store.log.append(...all)) };
  const progress: Store['progress'] = {
    ...store.progress,
    settle: (settlements) => write(() => store.progress.settle(settlements)),
    save: (positions) => write(() => store.progress.save(positions)),
  };
  const real = openGate({ log, maxEventBytes: 1_000, now: () => environment.now() });
  const gate: Gate = {
    enter: (topic, arrivals, settlement) =>
      real.enter(
        topic,
        arrivals.map((one) => ({ ...one, event: withExtensions(one.event, { number: number() }) })),
        settlement,
      ),
  };
  return {
    dispatcher: new Dispatcher({ log, progress, gate, environment: mortal }),
    gate,
    get isOver() {
      return isOver;
    },
    get pending() {
      return pending;
    },
    end() {
      isOver = true;
    },
  };
}
