import type { Probe } from '@millrace/resources/container';

import { systemClock } from '../../clock.ts';
import type { Workload } from '../../workload.ts';
import { checkOf } from './check.ts';
import type { Probed } from './check.ts';
import { startProbing } from './probe.ts';
import type { Probing } from './probe.ts';

/** What the probes of one instance say of it. */
export interface Health {
  /** Why it takes no calls now, in words; undefined while it does, or nothing is known. */
  readonly notReady: string | undefined;
  /** Hears of every change after it was ready for the first time. */
  onReadiness(listener: (isReady: boolean) => void): void;
  /** To be called once it listens: resolves with true when it is ready, with false when it was stopped before that. */
  becomesReady(): Promise<boolean>;
  /** To be called once it is ready: `failed` hears once, with why, that it must be ended. */
  watchLife(failed: (why: string) => void): void;
  /** Looks no more. */
  stop(): void;
}

/** The health of an instance by the probes of its workload; without any it is ready and lives. */
export function makeHealth({ readiness, liveness }: Workload, probed: Probed): Health {
  const listeners: ((isReady: boolean) => void)[] = [];
  const ready = Promise.withResolvers<boolean>();
  const probings: Probing[] = [];
  let isStopped = false;
  let saw = (): string | undefined => undefined;

  function probe(by: Probe, wasWell: boolean, changed: (isWell: boolean, saw: string | undefined) => void): Probing {
    const probing = startProbing({ probe: by, check: checkOf(by, probed), clock: systemClock, wasWell, changed });
    probings.push(probing);
    return probing;
  }
  return {
    get notReady() {
      const last = saw();
      return last === undefined ? undefined : `its readinessProbe saw: ${last}`;
    },
    onReadiness(listener) {
      listeners.push(listener);
    },
    becomesReady() {
      if (isStopped) return Promise.resolve(false);
      if (readiness === undefined) return Promise.resolve(true);
      let hasBeenReady = false;
      const probing = probe(readiness, false, (isReady) => {
        if (hasBeenReady) for (const listener of listeners) listener(isReady);
        hasBeenReady = true;
        ready.resolve(true);
      });
      saw = () => probing.saw;
      return ready.promise;
    },
    watchLife(failed) {
      if (isStopped || liveness === undefined) return;
      const probing = probe(liveness, true, (_isWell, last) => {
        probing.stop();
        failed(`failed its livenessProbe ${liveness.failures} times in a row (${last})`);
      });
    },
    stop() {
      isStopped = true;
      for (const probing of probings) probing.stop();
      ready.resolve(false);
    },
  };
}
