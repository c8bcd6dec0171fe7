import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createCollector } from '../collect.ts';
import { createManualClock } from '../manual-clock.fixture.ts';
import { pingSource } from './source.ts';
import type { PingSourceOptions } from './source.ts';

const MINUTE = 60_000;

function start(changes: Partial<PingSourceOptions> = {}, at = '2026-03-01T12:00:30Z', collector = createCollector()) {
  const clock = createManualClock(at);
  const options = { namespace: 'ns', name: 'tick', schedule: '* * * * *', timezone: 'UTC', extensions: {}, clock };
  const source = pingSource({ ...options, ...changes }, collector.outlet, collector.report);
  return { clock, collector, source };
}

const timesOf = ({ events }: { events: readonly { time: string | undefined }[] }) => events.map((it) => it.time);

describe('a PingSource', () => {
  test('sends an event at each tick, with the attributes of Knative', async () => {
    const data = '{ "a": 1 }';
    const { clock, collector, source } = start({ contentType: 'application/json', data, extensions: { team: 'blue' } });
    await clock.advance(MINUTE);
    const [event, ...more] = collector.events;
    assert.deepEqual(more, []);
    assert.deepEqual(
      { ...event, data: Buffer.from(event!.data!).toString(), extensions: { ...event!.extensions } },
      {
        specversion: '1.0',
        id: '2',
        type: 'dev.knative.sources.ping',
        source: '/apis/v1/namespaces/ns/pingsources/tick',
        subject: undefined,
        time: '2026-03-01T12:01:00.000Z',
        datacontenttype: 'application/json',
        dataschema: undefined,
        extensions: { team: 'blue' },
        data,
      },
    );
    await clock.advance(3 * MINUTE);
    assert.equal(new Set(collector.events.map((it) => it.id)).size, 4);
    await source.drain();
    assert.equal(clock.waiting(), 0);
  });

  test('sends the bytes of its base64, and nothing when it has no data', async () => {
    const bytes = Buffer.from([0, 255, 10]);
    const binary = start({ dataBase64: bytes.toString('base64'), data: '' });
    const empty = start({ data: '', contentType: '' });
    await Promise.all([binary.clock.advance(MINUTE), empty.clock.advance(MINUTE)]);
    assert.deepEqual(Buffer.from(binary.collector.events[0]!.data!), bytes);
    assert.equal(binary.collector.events[0]!.datacontenttype, undefined);
    assert.equal(empty.collector.events[0]!.data, undefined);
    assert.equal(empty.collector.events[0]!.datacontenttype, undefined);
    await Promise.all([binary.source.drain(), empty.source.drain()]);
  });

  for (const [schedule, timezone, at, times] of [
    ['@hourly', 'UTC', '2026-03-01T12:00:30Z', ['2026-03-01T13:00:00.000Z', '2026-03-01T14:00:00.000Z']],
    ['*/30 59 12 * * *', 'UTC', '2026-03-01T12:00:30Z', ['2026-03-01T12:59:00.000Z', '2026-03-01T12:59:30.000Z']],
    ['0 9 * * *', 'Asia/Tokyo', '2026-02-28T23:00:00Z', ['2026-03-01T00:00:00.000Z']],
    ['CRON_TZ=Asia/Tokyo 30 9 * * *', '', '2026-02-28T23:00:00Z', ['2026-03-01T00:30:00.000Z']],
    // A day of the month or a day of the week: a Sunday is not the 2nd, and either will do.
    ['30 12 2 * sun', 'UTC', '2026-03-01T12:00:00Z', ['2026-03-01T12:30:00.000Z']],
  ] as const) {
    test(`ticks by ${schedule} in ${timezone || 'its own time zone'}`, async () => {
      const { clock, collector, source } = start({ schedule, timezone }, at);
      await clock.advance(2 * 60 * MINUTE);
      assert.deepEqual(timesOf(collector), times);
      await source.drain();
    });
  }

  test('is late by a random part of half a second', async () => {
    const clock = createManualClock('2026-03-01T12:00:30Z', 0.5);
    const { collector, source } = start({ clock });
    await clock.advance(MINUTE);
    assert.deepEqual(timesOf(collector), ['2026-03-01T12:01:00.250Z']);
    await source.drain();
  });

  test('does not make up what it missed while the machine slept', async () => {
    const { clock, collector, source } = start();
    await clock.advance(0);
    clock.set(Date.parse('2026-03-01T15:30:10Z'));
    await clock.advance(MINUTE);
    assert.deepEqual(timesOf(collector), ['2026-03-01T15:30:40.000Z', '2026-03-01T15:31:00.000Z']);
    await source.drain();
  });

  test('offers an event that is not taken again, as the same, and says so meanwhile', async () => {
    let refusals = 2;
    const collector = createCollector(async () => {
      if (refusals-- > 0) throw new Error('no space');
    });
    const { clock, source } = start({}, undefined, collector);
    await clock.advance(30_000);
    assert.equal(collector.statuses.at(-1)?.reason, 'EventsRefused');
    assert.match(collector.statuses.at(-1)!.message, /no space/);
    await clock.advance(5_000);
    assert.deepEqual(timesOf(collector), ['2026-03-01T12:01:00.000Z']);
    assert.equal(collector.statuses.at(-1)?.ready, true);
    await source.drain();
  });

  test('parks an event that is never taken, and goes on', async () => {
    let refusals = 1;
    const collector = createCollector(async () => {
      if (refusals-- > 0) throw Object.assign(new Error('not as its schema wants it'), { status: 400 });
    });
    const { clock, source } = start({ data: 'hello' }, undefined, collector);
    await clock.advance(2 * MINUTE);
    assert.deepEqual(
      collector.parked.map(({ event, reason }) => [Buffer.from(event.data!).toString(), reason]),
      [['hello', 'not as its schema wants it']],
    );
    assert.deepEqual(timesOf(collector), ['2026-03-01T12:02:00.000Z']);
    assert.equal(collector.statuses.at(-1)?.ready, true);
    await source.drain();
  });

  test('drained, it waits until the event that it offers is taken, and sends none any more', async () => {
    let take = () => {};
    const collector = createCollector(
      () =>
        new Promise((resolve) => {
          take = resolve;
        }),
    );
    const { clock, source } = start({}, undefined, collector);
    await clock.advance(30_000);
    let isDrained = false;
    const drained = source.drain().then(() => {
      isDrained = true;
    });
    await clock.advance(0);
    assert.equal(isDrained, false);
    take();
    await drained;
    await clock.advance(10 * MINUTE);
    assert.equal(collector.events.length, 1);
  });

  test('that never comes is ready, and sends nothing', async () => {
    const { clock, collector, source } = start({ schedule: '0 0 30 2 *' });
    await clock.advance(MINUTE);
    assert.equal(collector.statuses.at(-1)?.ready, true);
    assert.equal(clock.waiting(), 0);
    await source.drain();
  });

  test('whose schedule or event cannot be is not ready, and says why', async () => {
    const unread = start({ schedule: '@every 1m' });
    assert.deepEqual(unread.collector.statuses, [
      { ready: false, reason: 'InvalidSchedule', message: 'spec.schedule: unsupported descriptor @every' },
    ]);
    const unmade = start({ extensions: { 'not-a-name': 'x' } });
    await unmade.clock.advance(MINUTE);
    assert.deepEqual(
      unmade.collector.statuses.map((it) => it.reason),
      ['InvalidEvent'],
    );
    assert.deepEqual(unmade.collector.events, []);
    await Promise.all([unread.source.drain(), unmade.source.drain()]);
  });
});
