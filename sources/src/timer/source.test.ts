import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createCollector } from '../collect.ts';
import { createManualClock } from '../manual-clock.fixture.ts';
import { timerSource } from './source.ts';

function start(repeatCount?: number) {
  const clock = createManualClock('2026-03-01T12:00:00Z');
  const collector = createCollector();
  const options = { periodMs: 1_000, message: 'hello', contentType: 'text/plain', repeatCount, extensions: { a: 'b' } };
  const source = timerSource({ ...options, clock }, collector.outlet, collector.report);
  return { clock, collector, source };
}

describe('a timer', () => {
  test('sends its message after every period, with the attributes of Knative', async () => {
    const { clock, collector, source } = start();
    await clock.advance(3_500);
    assert.deepEqual(
      collector.events.map(({ type, source, time, datacontenttype, extensions, data }) => [
        type,
        source,
        time,
        datacontenttype,
        extensions['a'],
        Buffer.from(data!).toString(),
      ]),
      ['01', '02', '03'].map((second) => [
        'dev.knative.eventing.timer',
        'dev.knative.eventing.timer-source',
        `2026-03-01T12:00:${second}.000Z`,
        'text/plain',
        'b',
        'hello',
      ]),
    );
    await source.drain();
    assert.equal(clock.waiting(), 0);
  });

  for (const count of [0, 1, 2]) {
    test(`ends after ${count}`, async () => {
      const { clock, collector, source } = start(count);
      await clock.advance(10_000);
      assert.equal(collector.events.length, count);
      await source.drain();
    });
  }
});
