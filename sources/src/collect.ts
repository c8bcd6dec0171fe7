import type { CloudEvent } from '@millrace/event/event';
import type { Outlet, SourceStatus } from '@millrace/event/source';

/** For tests: an outlet and a report that remember, and can be waited for. */
export interface Collector {
  readonly outlet: Outlet;
  readonly report: (status: SourceStatus) => void;
  /** Everything emitted, in order, once for each time that it was taken. */
  readonly events: CloudEvent[];
  /** How many events came with each emit. */
  readonly chunks: number[];
  readonly parked: { event: CloudEvent; reason: string }[];
  readonly statuses: SourceStatus[];
  /** Resolves when the condition holds; it is looked at whenever something has come. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves with the first status of this reason from now on, or the present one. */
  told(reason: string): Promise<SourceStatus>;
}

/** `admit` may refuse events by rejecting, or hold them by not resolving. */
export function createCollector(admit: (events: readonly CloudEvent[]) => Promise<void> = async () => {}): Collector {
  const waiting = new Set<() => void>();
  const came = () => waiting.forEach((look) => look());
  const collector: Collector = {
    events: [],
    chunks: [],
    parked: [],
    statuses: [],
    outlet: {
      async emit(events) {
        await admit(events);
        collector.events.push(...events);
        collector.chunks.push(events.length);
        came();
      },
      async park(event, reason) {
        collector.parked.push({ event, reason });
        came();
      },
    },
    report(status) {
      collector.statuses.push(status);
      came();
    },
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async told(reason) {
      await collector.until(() => collector.statuses.at(-1)?.reason === reason);
      return collector.statuses.at(-1)!;
    },
  };
  return collector;
}
