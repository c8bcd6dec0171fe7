import type { CloudEvent } from '@millrace/event/event';
import type { Outlet, SourceStatus } from '@millrace/event/source';

import { createBackoff } from './backoff.ts';
import type { Waiting } from './backoff.ts';

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
    let refusal: Refusal | undefined;
    await insist(async () => {
      try {
        await outlet.emit(events);
        refusal = undefined;
      } catch (error) {
        refusal = refusalIn(error);
        if (refusal === undefined) throw error;
      }
    });
    if (refusal === undefined) return;
    if (events.length > 1) {
      // One of them keeps the others out.
      for (const event of events) await offer([event]);
      return;
    }
    const { status, message } = refusal;
    const [event] = events;
    // What is too large is so as a dead letter, too.
    const parked = status === TOO_LARGE ? { ...event!, data: undefined } : event!;
    await insist(() => outlet.park(parked, message));
  }

  async function insist(attempt: () => Promise<void>): Promise<void> {
    for (let isTroubled = false; ; isTroubled = true) {
      try {
        await attempt();
        backoff.reset();
        if (isTroubled) recovered();
        return;
      } catch (error) {
        const message = `events are not taken now, and are offered again: ${(error as Error).message}`;
        report({ ready: false, reason: 'EventsRefused', message });
      }
      await backoff.wait(signal);
      if (signal.aborted) return;
    }
  }
}

const TOO_LARGE = 413;

interface Refusal {
  /** As HTTP would say it: 400 to 499. */
  readonly status: number;
  readonly message: string;
}

/** The refusal that stays the same however often the events are offered; undefined for what may pass. */
function refusalIn(error: unknown): Refusal | undefined {
  const { status, message } = error as { status?: unknown; message?: unknown };
  const isOne = typeof status === 'number' && status >= 400 && status < 500 && status !== 408 && status !== 429;
  return isOne ? { status, message: String(message) } : undefined;
}
