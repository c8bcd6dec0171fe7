import type { Probe } from '@millrace/resources/container';

import type { Clock } from '../../clock.ts';

/** One look at an instance: undefined when all is well, otherwise what it saw, for people. Never rejects. */
export type Check = () => Promise<string | undefined>;

/** A probe that is at work. */
export interface Probing {
  /** What it saw last; undefined when that was well, or nothing yet. */
  readonly saw: string | undefined;
  /** No look after this one, and no change is told any more. */
  stop(): void;
}

/** How soon it looks again until an instance is ready for the first time, whatever its period: as Knative Serving does. */
const EAGER_MS = 25;

/**
 * Looks again and again, one look at a time, and tells each change between well and unwell with what it saw. It begins
 * as unwell and eager; or as well, when `wasWell`, as a liveness probe does.
 */
export function startProbing(options: {
  probe: Pick<Probe, 'initialDelayMs' | 'periodMs' | 'successes' | 'failures'>;
  check: Check;
  clock: Pick<Clock, 'after'>;
  changed: (isWell: boolean, saw: string | undefined) => void;
  wasWell?: boolean;
}): Probing {
  const { probe, check, clock, changed, wasWell = false } = options;
  let isWell = wasWell;
  let hasBeenWell = wasWell;
  /** How many looks in a row have said the opposite. */
  let against = 0;
  let saw: string | undefined;
  let isStopped = false;
  let cancel = (): void => {};

  async function look(): Promise<void> {
    saw = await check();
    if (isStopped) return;
    const looksWell = saw === undefined;
    against = looksWell === isWell ? 0 : against + 1;
    if (against >= (isWell ? probe.failures : probe.successes)) {
      isWell = looksWell;
      hasBeenWell ||= isWell;
      against = 0;
      changed(isWell, saw);
    }
    // Whoever heard of the change may have stopped it.
    if (!isStopped) lookAfter(hasBeenWell ? probe.periodMs : Math.min(EAGER_MS, probe.periodMs));
  }
  function lookAfter(milliseconds: number): void {
    cancel = clock.after(milliseconds, () => void look());
  }
  if (probe.initialDelayMs > 0) lookAfter(probe.initialDelayMs);
  else void look();
  return {
    get saw() {
      return saw;
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
