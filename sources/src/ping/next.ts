import type { Schedule } from '@millrace/resources/schedule';
import { Cron } from 'croner';

/**
 * When a schedule comes next after a moment (milliseconds since 1970); undefined when it never does, as the 30th of
 * February. A time of day that the clocks leave out comes as they go on, and one that they repeat comes once; robfig/cron
 * leaves the first out, and takes the other twice.
 */
export function nextOf({ fields, timezone }: Schedule): (after: number) => number | undefined {
  // Only numbers and stars: what robfig/cron and croner read differently (`7`, `L`, `?`) has been read already.
  const pattern = fields.map((it) => (it === '*' ? it : it.join(','))).join(' ');
  const cron = new Cron(pattern, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
  return (after) => cron.nextRun(new Date(after))?.getTime();
}
