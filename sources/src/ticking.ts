import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import type { Outlet, RunningSource, SourceStatus } from '@millrace/event/source';

import { sleep } from './backoff.ts';
import type { Waiting } from './backoff.ts';
import { createOffer } from './offer.ts';

/** What a source that goes by the clock needs of the world; handed in by tests. */
export interface Clock extends Waiting {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** The id of the next event. Default a random UUID. */
  readonly newId?: (() => string) | undefined;
}

/** Moments, and the event of each. */
export interface Ticks {
  /** The first one after a moment (milliseconds since 1970); undefined when there is none any more. */
  next(after: number): number | undefined;
  /** What happens at a moment. Throws an `EventFault` when what was said makes no event. */
  event(now: number): CloudEvent;
  /** Each tick is late by up to so many milliseconds, so that many sources do not tick in step. Default 0. */
  readonly spreadMs?: number;
  /** When it ticks, for people: `every minute`. */
  readonly when: string;
}

// Waits are cut into pieces: a clock that was set, or a machine that slept, is noticed after one of them at the latest.
const LONGEST_WAIT_MS = 30_000;

/**
 * Emits an event at each tick. A tick that passes while nothing can tick (the process was not running, the machine
 * slept, the event before it was not taken yet) is not made up: after it, the next one is the first that is still to
 * come. An event that is not taken is offered again until it is.
 */
export function startTicking(
  ticks: Ticks,
  outlet: Outlet,
  report: (status: SourceStatus) => void,
  clock: Clock,
): RunningSource {
  const { now = Date.now, random = Math.random, wait = sleep } = clock;
  const ended = new AbortController();
  const { signal } = ended;
  const offer = createOffer({ outlet, report, signal, waiting: clock, recovered: tellReady });
  const running = run();

  return {
    async drain() {
      ended.abort();
      await running;
    },
  };

  async function run(): Promise<void> {
    try {
      ticks.event(now());
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      return report({ ready: false, reason: 'InvalidEvent', message: error.message });
    }
    tellReady();
    for (let due = ticks.next(now()); due !== undefined; due = ticks.next(Math.max(due, now()))) {
      await waitUntil(due + Math.floor(random() * (ticks.spreadMs ?? 0)));
      if (signal.aborted) return;
      await offer([ticks.event(now())]);
    }
  }

  function tellReady(): void {
    report({ ready: true, reason: 'Scheduled', message: `sends an event ${ticks.when}` });
  }

  async function waitUntil(moment: number): Promise<void> {
    for (let left = moment - now(); left > 0 && !signal.aborted; left = moment - now())
      await wait(Math.min(left, LONGEST_WAIT_MS), signal);
  }
}
