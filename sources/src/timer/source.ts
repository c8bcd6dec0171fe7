import { randomUUID } from 'node:crypto';

import { makeEvent, withExtensions } from '@millrace/event/event';
import type { StartSource } from '@millrace/event/source';

import { startTicking } from '../ticking.ts';
import type { Clock } from '../ticking.ts';

/** The attributes of the events of an IntegrationSource with a timer, as Knative has them. */
export const TIMER_EVENT_TYPE = 'dev.knative.eventing.timer';
export const TIMER_EVENT_SOURCE = 'dev.knative.eventing.timer-source';

/** An IntegrationSource with a `timer`. */
export interface TimerSourceOptions {
  readonly periodMs: number;
  readonly message: string;
  readonly contentType: string;
  /** How many events there are, from each start on; no end when absent. */
  readonly repeatCount?: number | undefined;
  /** Extensions that every event gets. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly clock?: Clock | undefined;
}

/** The same event after every period, the first one period after the start. */
export const timerSource: StartSource<TimerSourceOptions> = (options, outlet, report) => {
  const { periodMs, repeatCount = Infinity, clock = {} } = options;
  const { now = Date.now, newId = randomUUID } = clock;
  const began = now();
  const data = Buffer.from(options.message);
  let ticks = 0;
  return startTicking(
    {
      when: `every ${periodMs} ms`,
      next(after) {
        if (ticks >= repeatCount) return undefined;
        ticks += 1;
        return began + (Math.floor((after - began) / periodMs) + 1) * periodMs;
      },
      event(moment) {
        const event = makeEvent(
          {
            specversion: '1.0',
            id: newId(),
            source: TIMER_EVENT_SOURCE,
            type: TIMER_EVENT_TYPE,
            time: new Date(moment).toISOString(),
            datacontenttype: options.contentType,
          },
          data,
        );
        return withExtensions(event, options.extensions);
      },
    },
    outlet,
    report,
    clock,
  );
};
