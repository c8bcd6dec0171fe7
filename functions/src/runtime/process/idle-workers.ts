import type { Clock } from '../../clock.ts';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;

/** One who waits to be taken. */
interface Waiting {
  /** Resolves when it is gone, however that came. */
  readonly exit: Promise<unknown>;
  kill(): void;
}

/** So many that wait, and new ones for those that are taken or die. */
export interface IdleWorkers<Idle extends Waiting> {
  /** How many there shall be. What is missing is begun now; what is too much is ended. Resolves when that is gone. */
  keep(count: number): Promise<void>;
  /** One that is there and fits; it is not ended any more. A new one comes only with the next {@link keep}. */
  take(fits?: (idle: Idle) => boolean): Idle | undefined;
}

/**
 * Workers that wait for an order. `begin` may throw; then, and when a worker dies while it waits, the next one is
 * begun after 0.1 s, 0.2 s … 30 s.
 */
export function idleWorkers<Idle extends Waiting>(begin: () => Idle, after: Clock['after']): IdleWorkers<Idle> {
  const idle = new Set<Idle>();
  let wanted = 0;
  let failures = 0;
  let callOff: (() => void) | undefined;

  function fill(): void {
    while (idle.size < wanted && callOff === undefined) {
      try {
        add(begin());
      } catch {
        failed();
      }
    }
  }
  function add(worker: Idle): void {
    idle.add(worker);
    void worker.exit.then(() => {
      if (idle.delete(worker)) failed();
    });
  }
  function failed(): void {
    if (callOff !== undefined) return;
    callOff = after(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), () => {
      callOff = undefined;
      fill();
    });
    failures += 1;
  }
  return {
    async keep(count) {
      wanted = count;
      fill();
      const tooMany = [...idle].slice(count);
      for (const worker of tooMany) {
        idle.delete(worker);
        worker.kill();
      }
      if (count === 0) {
        callOff?.();
        callOff = undefined;
      }
      await Promise.all(tooMany.map((worker) => worker.exit));
    },
    take(fits = () => true) {
      const worker = [...idle].find(fits);
      if (worker === undefined) return undefined;
      idle.delete(worker);
      failures = 0;
      return worker;
    },
  };
}
