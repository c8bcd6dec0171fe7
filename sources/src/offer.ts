import type { CloudEvent } from '@millrace/event/event';
import type { Outlet, SourceStatus } from '@millrace/event/source';

import { createBackoff } from './backoff.ts';
import type { Waiting } from './backoff.ts';

const LONGEST_BACKOFF_MS = 30_000;

/** What offering needs of its source. */
export interface Offering {
  readonly outlet: Outlet;
  readonly report: (status: SourceStatus) => void;
  /** Aborts when the source drains: what is refused then is not offered again. */
  readonly signal: AbortSignal;
  readonly waiting?: Waiting | undefined;
  /** Told when events are taken again after some were not. */
  readonly recovered: () => void;
}

/**
 * Offers events to the outlet, in their order and one call after the other, until they are durable:
 *
 *   emit ─ taken
 *     ├ not now: wait, up to 30 s, and offer the same again; the status says so meanwhile
 *     └ never (too large): told in the status, and left out
 *
 * The returned function resolves when they are through, or when the source drains; it never rejects.
 */
export function createOffer(offering: Offering): (events: readonly CloudEvent[]) => Promise<void> {
  const { outlet, report, signal, recovered } = offering;
  const backoff = createBackoff(LONGEST_BACKOFF_MS, offering.waiting);
  let isTroubled = false;

  return async function offer(events) {
    while (true) {
      try {
        await outlet.emit(events);
        backoff.reset();
        if (isTroubled) recovered();
        isTroubled = false;
        return;
      } catch (error) {
        const { message } = error as Error;
        if (isForGood(error)) {
          if (events.length > 1) {
            for (const event of events) await offer([event]);
            return;
          }
          isTroubled = true;
          return report({ ready: false, reason: 'EventRefused', message: `an event was left out: ${message}` });
        }
        isTroubled = true;
        report({ ready: false, reason: 'EventsRefused', message: `events are offered again: ${message}` });
      }
      await backoff.wait(signal);
      if (signal.aborted) return;
    }
  };
}

/** What says with an HTTP status that it is the event's fault. */
function isForGood(error: unknown): boolean {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 429 && status !== 408;
}
