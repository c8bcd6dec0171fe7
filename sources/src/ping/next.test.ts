import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isScheduleFault, readSchedule } from '@millrace/resources/schedule';

import { nextOf } from './next.ts';

/** The next moments of a schedule after one, without their milliseconds. */
function momentsOf(schedule: string, timezone: string, after: string, count = 2): string[] {
  const read = readSchedule(schedule, timezone);
  assert.ok(!isScheduleFault(read));
  const next = nextOf(read);
  const moments: string[] = [];
  for (let at = next(Date.parse(after)); at !== undefined && moments.length < count; at = next(at))
    moments.push(new Date(at).toISOString().replace('.000Z', 'Z'));
  return moments;
}

describe('a schedule comes next', () => {
  for (const [what, schedule, timezone, after, moments] of [
    ['after a moment, not at it', '0 12 * * *', 'UTC', '2026-03-01T12:00:00Z', ['2026-03-02', '2026-03-03']],
    ['on a leap day', '0 12 29 2 *', 'UTC', '2026-03-01T00:00:00Z', ['2028-02-29', '2032-02-29']],
    // The 13th, or a Friday.
    ['on either day', '0 12 13 * fri', 'UTC', '2026-01-02T12:00:00Z', ['2026-01-09', '2026-01-13']],
    ['on both, where one of them is open', '0 12 * 5 fri', 'UTC', '2026-01-01T00:00:00Z', ['2026-05-01', '2026-05-08']],
    ['by a step, as a list', '0 12 */20 * fri', 'UTC', '2026-01-01T12:00:00Z', ['2026-01-02', '2026-01-09']],
  ] as const) {
    test(what, () =>
      assert.deepEqual(
        momentsOf(schedule, timezone, after),
        moments.map((day) => `${day}T12:00:00Z`),
      ),
    );
  }

  test('as the clocks go on, when they leave its time out', () => {
    const moments = momentsOf('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z');
    assert.deepEqual(moments, ['2026-03-08T07:00:00Z', '2026-03-09T06:30:00Z']);
  });

  test('once, when they repeat its time', () => {
    const moments = momentsOf('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z');
    assert.deepEqual(moments, ['2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z']);
  });

  test('every hour, whatever the clocks do', () => {
    const moments = momentsOf('0 * * * *', 'America/New_York', '2026-11-01T04:30:00Z', 3);
    assert.deepEqual(moments, ['2026-11-01T05:00:00Z', '2026-11-01T06:00:00Z', '2026-11-01T07:00:00Z']);
  });

  test('never, on a day that there is not', () => {
    assert.deepEqual(momentsOf('0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z'), []);
  });
});
