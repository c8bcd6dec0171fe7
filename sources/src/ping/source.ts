import { randomUUID } from 'node:crypto';

import { makeEvent, withExtensions } from '@millrace/event/event';
import type { StartSource } from '@millrace/event/source';
import { isScheduleFault, readSchedule } from '@millrace/resources/schedule';

import { startTicking } from '../ticking.ts';
import type { Clock } from '../ticking.ts';
import { nextOf } from './next.ts';

/** The type of the events of a PingSource, as Knative has it. */
export const PING_EVENT_TYPE = 'dev.knative.sources.ping';

/** A PingSource, as it was said. */
export interface PingSourceOptions {
  readonly namespace: string;
  readonly name: string;
  /** Five fields of cron, six with the seconds first, or a descriptor. */
  readonly schedule: string;
  /** An IANA name. Default: that of the process. */
  readonly timezone?: string | undefined;
  readonly contentType?: string | undefined;
  /** The data as text, or in base64; none without both. */
  readonly data?: string | undefined;
  readonly dataBase64?: string | undefined;
  /** Extensions that every event gets. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly clock?: Clock | undefined;
}

/** Knative's own: every tick is late by a random part of it. */
const SPREAD_MS = 500;

/** The same event at every tick of a schedule, with Knative's attributes. See `startTicking` for what is missed. */
export const pingSource: StartSource<PingSourceOptions> = (options, outlet, report) => {
  const { namespace, name, schedule, timezone, contentType, clock = {} } = options;
  const read = readSchedule(schedule, timezone);
  if (isScheduleFault(read)) {
    report({ ready: false, reason: 'InvalidSchedule', message: `spec.${read.field}: ${read.text}` });
    return { drain: async () => {} };
  }
  const { newId = randomUUID } = clock;
  const data = dataOf(options);
  return startTicking(
    {
      next: nextOf(read),
      spreadMs: SPREAD_MS,
      when: `by the schedule "${schedule}"${read.timezone === undefined ? '' : ` in ${read.timezone}`}`,
      event(now) {
        const event = makeEvent(
          {
            specversion: '1.0',
            id: newId(),
            source: `/apis/v1/namespaces/${namespace}/pingsources/${name}`,
            type: PING_EVENT_TYPE,
            time: new Date(now).toISOString(),
            datacontenttype: contentType || undefined,
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

function dataOf({ data, dataBase64 }: PingSourceOptions): Uint8Array | undefined {
  if (dataBase64 !== undefined && dataBase64 !== '') return Buffer.from(dataBase64, 'base64');
  return data === undefined || data === '' ? undefined : Buffer.from(data);
}
