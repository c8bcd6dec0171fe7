import type { Outlet } from '@millrace/event/source';

import { createBackoff } from '../backoff.ts';
import type { Waiting } from '../backoff.ts';
import { enter } from '../enter.ts';
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
  const entering = { outlet: taking.outlet, insist, staysIn: 'the record stays in Kafka' };
  for (const chunk of chunksOf(batch.records)) {
    if (!batch.isWanted()) return;
    const mapped = chunk.map((record) => mapRecord(record, taking.mapping));
    const events = mapped.flatMap((each) => ('event' in each ? [each.event] : []));
    if (events.length > 0 && !(await enter(events, entering))) return;
    for (const each of mapped) {
      if ('parked' in each && !(await insist(() => taking.outlet.park(each.parked, each.reason)))) return;
    }
    await batch.commit(chunk.at(-1)!);
    taking.taken();
    await batch.heartbeat();
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
