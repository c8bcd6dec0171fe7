import type { CloudEvent } from '@millrace/event/event';
import type { Outlet, SourceStatus } from '@millrace/event/source';

import { createBackoff } from './backoff.ts';
import type { Waiting } from './backoff.ts';
import { enter } from './enter.ts';

const LONGEST_BACKOFF_MS = 30_000;

/** What offering needs of its source. */
export interface Offering {
  readonly outlet: Outlet;
  readonly report: (status: SourceStatus) => void;
  /** Aborts when the source drains: what is not taken then is not offered again. */
  readonly signal: AbortSignal;
  readonly waiting?: Waiting | undefined;
  /** Told when something is taken again after something was not. */
  readonly recovered: () => void;
}

/**
 * Offers events to the outlet, in their order and one call after the other, until they are durable:
 *
 *   emit ─ taken
 *     ├ not now: wait, up to 30 s, and offer the same again; the status says so meanwhile
 *     └ never (too large): park, as a dead letter of the source
 *
 * The returned function resolves when they are through, or when the source drains; it never rejects.
 */
export function createOffer(offering: Offering): (events: readonly CloudEvent[]) => Promise<void> {
  const { outlet, report, signal, recovered } = offering;
  const backoff = createBackoff(LONGEST_BACKOFF_MS, offering.waiting);
  return offer;

  async function offer(events: readonly CloudEvent[]): Promise<void> {
    await enter(events, { outlet, insist });
  }

  async function insist(attempt: () => Promise<void>): Promise<boolean> {
    for (let isTroubled = false; ; isTroubled = true) {
      try {
        await attempt();
        backoff.reset();
        if (isTroubled) recovered();
        return true;
      } catch (error) {
        const message = `events are not taken now, and are offered again: ${(error as Error).message}`;
        report({ ready: false, reason: 'EventsRefused', message });
      }
      await backoff.wait(signal);
      if (signal.aborted) return false;
    }
  }
}
