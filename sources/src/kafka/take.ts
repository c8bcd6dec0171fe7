import type { CloudEvent } from '@millrace/event/event';
import { refusalIn } from '@millrace/event/source';
import type { Outlet, Refusal } from '@millrace/event/source';

import { createBackoff } from '../backoff.ts';
import type { Waiting } from '../backoff.ts';
import { chunksOf } from './chunks.ts';
import type { KafkaBatch } from './client.ts';
import { mapRecord } from './record.ts';
import type { RecordMapping } from './record.ts';

/** What taking a batch needs of the source. */
export interface Taking {
  readonly mapping: RecordMapping;
  readonly outlet: Outlet;
  /** Aborts when the source drains: what is refused then is not offered again. */
  readonly signal: AbortSignal;
  readonly waiting?: Waiting | undefined;
  /** Told each time that the outlet does not take events. */
  readonly refused: (error: unknown) => void;
  /** Told each time that some are taken for good. */
  readonly taken: () => void;
}

/**
 * Takes the records of a batch, chunk by chunk:
 *
 *   map ─ event ─▶ emit ──────────────────┐
 *    │              └ refused for good     │
 *    │                      ▼              │
 *    └─ no event ────────▶ park ───────────┴─▶ durable ─▶ commit ─▶ heartbeat ─▶ the next chunk
 *
 * What is not taken now is offered again, after waits of up to 5 s.
 *
 * Returns early when the batch is not wanted any more; what is not committed will come again.
 */
export async function takeBatch(batch: KafkaBatch, taking: Taking): Promise<void> {
  for (const chunk of chunksOf(batch.records)) {
    if (!batch.isWanted()) return;
    const mapped = chunk.map((record) => mapRecord(record, taking.mapping));
    const events = mapped.flatMap((each) => ('event' in each ? [each.event] : []));
    if (events.length > 0 && !(await enter(events))) return;
    for (const each of mapped) {
      if ('parked' in each && !(await insist(() => taking.outlet.park(each.parked, each.reason)))) return;
    }
    await batch.commit(chunk.at(-1)!);
    taking.taken();
    await batch.heartbeat();
  }

  /** Emits all, or parks those that will never be taken; false when there is no point any more. */
  async function enter(events: readonly CloudEvent[]): Promise<boolean> {
    let refusal: Refusal | undefined;
    const isOver = await insist(async () => {
      try {
        await taking.outlet.emit(events);
        refusal = undefined;
      } catch (error) {
        refusal = refusalIn(error);
        if (refusal === undefined) throw error;
      }
    });
    if (!isOver || refusal === undefined) return isOver;
    if (events.length > 1) {
      // One of them keeps the others out.
      for (const event of events) if (!(await enter([event]))) return false;
      return true;
    }
    const { status, message } = refusal;
    const [event] = events;
    // Too much to be kept here as well; it is where it came from.
    const isTooLarge = status === TOO_LARGE;
    const parked = isTooLarge ? { ...event!, data: undefined } : event!;
    const reason = isTooLarge ? `${message}; the record stays in Kafka` : message;
    return insist(() => taking.outlet.park(parked, reason));
  }

  /** Offers until it is taken; false when there is no point any more. */
  async function insist(offer: () => Promise<void>): Promise<boolean> {
    const backoff = createBackoff(5_000, taking.waiting);
    while (true) {
      try {
        await beating(offer());
        return true;
      } catch (error) {
        if (taking.signal.aborted) return false;
        taking.refused(error);
      }
      await beating(backoff.wait(taking.signal));
      if (!batch.isWanted() || taking.signal.aborted) return false;
      await batch.heartbeat();
    }
  }

  /** Keeps the membership alive meanwhile. What the heartbeat finds is heard at the next one that is awaited. */
  async function beating(work: Promise<void>): Promise<void> {
    const timer = setInterval(() => void batch.heartbeat().catch(() => {}), 1_000);
    try {
      await work;
    } finally {
      clearInterval(timer);
    }
  }
}

const TOO_LARGE = 413;
