import type { Environment } from '@millrace/bus/environment';
import type { Store } from '@millrace/bus/log/store';

/** A store and a time that a process has until it ends: in peace, or as a crash ends it. */
export interface Mortal {
  readonly store: Store;
  readonly environment: Environment;
  readonly isOver: boolean;
  /** Writes that the store has not made yet. */
  readonly pending: number;
  /** As a crash: nothing more is called, nothing more is written, nothing more comes back. */
  end(): void;
}

export interface MortalOptions {
  readonly store: Store;
  readonly environment: Environment;
  /** Milliseconds that the next write takes. */
  readonly latency: () => number;
}

const NEVER = new Promise<never>(() => {});

export function mortal({ store, environment, latency }: MortalOptions): Mortal {
  let isOver = false;
  let pending = 0;
  let writing: Promise<unknown> = Promise.resolve();

  const own: Environment = {
    ...environment,
    after: (milliseconds, call) =>
      environment.after(milliseconds, () => {
        if (!isOver) call();
      }),
  };
  const wait = (milliseconds: number) =>
    milliseconds === 0 ? undefined : new Promise<void>((resolve) => void own.after(milliseconds, resolve));

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

  const { log, progress } = store;
  return {
    store: {
      ...store,
      log: { ...log, append: (...all) => write(() => log.append(...all)) },
      progress: {
        ...progress,
        settle: (settlements) => write(() => progress.settle(settlements)),
        save: (positions) => write(() => progress.save(positions)),
        // The same text again costs nothing.
        define: (route, definition) =>
          progress.definitions().get(route) === definition
            ? Promise.resolve()
            : write(() => progress.define(route, definition)),
      },
    },
    environment: own,
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
