import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { facts } from '../log/facts.ts';
import type { Accepted, Prewarmed, Refused } from '../log/facts.ts';
import { startMetrics } from './metrics.ts';
import type { GaugeReadings, Metrics } from './metrics.ts';
import { sampleAttempt, sampleEntry } from './samples.ts';

const NOTHING: GaugeReadings = { inFlight: {}, waiting: {}, deadLetters: {}, lag: {}, entries: 0 };

/** The lines of a metric, as they stand. */
async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

async function withMetrics(work: (metrics: Metrics) => Promise<void>, gauges = () => NOTHING): Promise<void> {
  const metrics = startMetrics({ gauges });
  try {
    await work(metrics);
  } finally {
    metrics.close();
  }
}

function accept(...entries: Accepted['entries']): void {
  facts.accepted.publish({ entries, duration: 4 } satisfies Accepted);
}

describe('metrics', () => {
  test('count accepted events by topic, and the append once for all of them', () =>
    withMetrics(async (metrics) => {
      accept(sampleEntry(), sampleEntry());
      accept(sampleEntry({ topic: 'broker/shop/other' }));
      assert.deepEqual(await linesOf(metrics, 'millrace_events_accepted_total'), [
        'millrace_events_accepted_total{topic="broker/shop/default"} 2',
        'millrace_events_accepted_total{topic="broker/shop/other"} 1',
      ]);
      assert.deepEqual(await linesOf(metrics, 'millrace_append_duration_seconds_count'), [
        'millrace_append_duration_seconds_count 2',
      ]);
    }));

  test('carry the names and labels of Knative for what a broker takes and a trigger sends', () =>
    withMetrics(async (metrics) => {
      accept(sampleEntry());
      facts.attempted.publish(sampleAttempt());
      const broker = 'kn_broker_name="default",kn_broker_namespace="shop"';
      const system = 'messaging_system="knative",messaging_operation_name="send"';
      const type = 'cloudevents_type="order.placed"';
      assert.deepEqual(await linesOf(metrics, 'kn_eventing_dispatch_duration_seconds_sum'), [
        `kn_eventing_dispatch_duration_seconds_sum{${system},messaging_destination_name="broker:default.shop",${broker},http_response_status_code="202",${type}} 0.004`,
        `kn_eventing_dispatch_duration_seconds_sum{${system},messaging_destination_name="trigger:mailer.shop",${broker},http_response_status_code="200",${type}} 0.06`,
      ]);
      assert.deepEqual(await linesOf(metrics, 'kn_eventing_process_duration_seconds_sum'), [
        `kn_eventing_process_duration_seconds_sum{${system},messaging_destination_name="trigger:mailer.shop",${broker},${type}} 0.02`,
      ]);
    }));

  test('fill the buckets of Knative cumulatively', () =>
    withMetrics(async (metrics) => {
      for (const duration of [5, 60, 60, 20_000]) facts.attempted.publish(sampleAttempt({ duration }));
      const lines = await linesOf(metrics, 'millrace_attempt_duration_seconds_bucket');
      const counts = lines.map((line) => /le="([^"]+)".* (\d+)$/.exec(line)?.slice(1).join(':'));
      assert.equal(
        counts.join(' '),
        '0.005:1 0.01:1 0.025:1 0.05:1 0.075:3 0.1:3 0.25:3 0.5:3 0.75:3 1:3 2.5:3 5:3 7.5:3 10:3 +Inf:4',
      );
    }));

  test('do not count a reply as something that was sent to the broker from outside', () =>
    withMetrics(async (metrics) => {
      accept(sampleEntry({ cause: { position: 1, route: 'trigger/shop/mailer' } }));
      assert.deepEqual(await linesOf(metrics, 'kn_eventing_dispatch_duration_seconds_count'), []);
      assert.equal((await linesOf(metrics, 'millrace_events_accepted_total')).length, 1);
    }));

  test('count attempts by route and outcome, and leave out the status when there was no response', () =>
    withMetrics(async (metrics) => {
      facts.attempted.publish(sampleAttempt());
      facts.attempted.publish(sampleAttempt());
      facts.attempted.publish(sampleAttempt({ outcome: 'retrying', status: undefined }));
      facts.attempted.publish(sampleAttempt({ outcome: 'deadLettered', stage: 'deadLetterSink', attempt: 2 }));
      assert.deepEqual(await linesOf(metrics, 'millrace_deliveries_total'), [
        'millrace_deliveries_total{route="trigger/shop/mailer",outcome="delivered"} 2',
        'millrace_deliveries_total{route="trigger/shop/mailer",outcome="retrying"} 1',
        'millrace_deliveries_total{route="trigger/shop/mailer",outcome="deadLettered"} 1',
      ]);
      const dispatched = await linesOf(metrics, 'kn_eventing_dispatch_duration_seconds_count');
      assert.deepEqual(
        dispatched.map((line) => /status_code="\d+"/.exec(line)?.[0]),
        ['status_code="200"', undefined],
      );
    }));

  test('count how events end in flows: with a reply, at a step without one, by a step that failed for good', () =>
    withMetrics(async (metrics) => {
      const flow = 'sequence/shop/order';
      const cause = { position: 1, route: `${flow}/pack` };
      accept(sampleEntry({ topic: `results/${flow}`, cause }), sampleEntry({ topic: `${flow}/pack` }));
      const told = (outcome: 'delivered' | 'retrying' | 'parked', hasReplied: boolean) =>
        facts.attempted.publish({ ...sampleAttempt({ outcome }), flow, hasReplied });
      told('delivered', true);
      told('delivered', false);
      told('retrying', false);
      told('parked', false);
      facts.attempted.publish(sampleAttempt());
      assert.deepEqual(await linesOf(metrics, 'millrace_flow_outcomes_total'), [
        `millrace_flow_outcomes_total{flow="${flow}",outcome="replied"} 1`,
        `millrace_flow_outcomes_total{flow="${flow}",outcome="silent"} 1`,
        `millrace_flow_outcomes_total{flow="${flow}",outcome="failed"} 1`,
      ]);
    }));

  test('count refusals by status', () =>
    withMetrics(async (metrics) => {
      facts.refused.publish({ path: '/a', status: 404, reason: 'no' } satisfies Refused);
      assert.deepEqual(await linesOf(metrics, 'millrace_requests_refused_total'), [
        'millrace_requests_refused_total{status="404"} 1',
      ]);
    }));

  test('add up what replies say that a model has cost, by route and model', () =>
    withMetrics(async (metrics) => {
      const cause = { position: 1, route: 'trigger/shop/triage' };
      const said = { llmmodel: 'claude-x', llmrequests: 2, llminputtokens: 1_200, llmoutputtokens: 50 };
      accept(sampleEntry({ cause }, { ...said, llmcostusd: '0.0042' }), sampleEntry({ cause }, said));
      const labels = 'route="trigger/shop/triage",model="claude-x"';
      assert.deepEqual(await linesOf(metrics, 'millrace_function_tokens_total'), [
        `millrace_function_tokens_total{${labels},direction="input"} 2400`,
        `millrace_function_tokens_total{${labels},direction="output"} 100`,
      ]);
      assert.deepEqual(await linesOf(metrics, 'millrace_function_cost_usd_total'), [
        `millrace_function_cost_usd_total{${labels}} 0.0042`,
      ]);
    }));

  test('count no cost that is no number, and none that an event from outside claims', () =>
    withMetrics(async (metrics) => {
      const cause = { position: 1, route: 'trigger/shop/triage' };
      accept(sampleEntry({}, { llmmodel: 'claude-x', llminputtokens: 5, llmoutputtokens: 5, llmcostusd: '9' }));
      accept(sampleEntry({ cause }, { llmmodel: 'claude-x', llminputtokens: -5, llmoutputtokens: '1e3' }));
      accept(sampleEntry({ cause }, { llmmodel: 'claude-x', llminputtokens: 5, llmcostusd: '-1' }));
      assert.deepEqual(
        (await linesOf(metrics, 'millrace_function_tokens_total')).map((line) => line.slice(-20)),
        ['direction="input"} 5', 'irection="output"} 0'],
      );
      assert.match((await linesOf(metrics, 'millrace_function_cost_usd_total')).join(), / 0$/);
    }));

  test('lump models together beyond a limit', () =>
    withMetrics(async (metrics) => {
      const cause = { position: 1, route: 'trigger/shop/triage' };
      for (let index = 0; index < 300; index += 1)
        accept(sampleEntry({ cause }, { llmmodel: `made-up-${index}`, llminputtokens: 1 }));
      const lines = await linesOf(metrics, 'millrace_function_cost_usd_total');
      assert.equal(lines.length, 201);
      assert.ok(lines.at(-1)!.includes('model="other"'));
    }));

  test('count what was warmed ahead, and show how busy functions are', async () => {
    const busy = { instances: 2, inFlight: 3, waiting: 1 };
    const idle = { instances: 0, inFlight: 0, waiting: 0 };
    const metrics = startMetrics({
      gauges: () => NOTHING,
      functions: () => [{ name: 'shop/agent', revisions: [busy, idle, busy] }],
    });
    try {
      facts.prewarmed.publish({ route: 'trigger/shop/triage', next: 'trigger/shop/notify' } satisfies Prewarmed);
      assert.deepEqual(await linesOf(metrics, 'millrace_prewarms_total'), [
        'millrace_prewarms_total{route="trigger/shop/notify"} 1',
      ]);
      for (const [name, value] of [
        ['instances', 4],
        ['in_flight', 6],
        ['waiting', 2],
      ] as const) {
        assert.deepEqual(await linesOf(metrics, `millrace_function_${name}`), [
          `millrace_function_${name}{function="shop/agent"} ${value}`,
        ]);
      }
    } finally {
      metrics.close();
    }
  });

  test('read the gauges when asked, and forget routes that are gone', async () => {
    let readings: GaugeReadings = {
      inFlight: { a: 3 },
      waiting: { a: 2 },
      deadLetters: { a: 1, b: 4 },
      lag: { a: 9 },
      entries: 12,
    };
    await withMetrics(
      async (metrics) => {
        assert.deepEqual(await linesOf(metrics, 'millrace_in_flight'), ['millrace_in_flight{route="a"} 3']);
        assert.deepEqual(await linesOf(metrics, 'millrace_waiting'), ['millrace_waiting{route="a"} 2']);
        assert.deepEqual(await linesOf(metrics, 'millrace_route_lag'), ['millrace_route_lag{route="a"} 9']);
        assert.deepEqual(await linesOf(metrics, 'millrace_log_entries'), ['millrace_log_entries 12']);
        readings = { ...readings, deadLetters: { b: 5 } };
        assert.deepEqual(await linesOf(metrics, 'millrace_dead_letters'), ['millrace_dead_letters{route="b"} 5']);
      },
      () => readings,
    );
  });

  test('call event types "other" after two hundred', () =>
    withMetrics(async (metrics) => {
      for (let index = 0; index < 300; index += 1) accept(sampleEntry({}, { type: `type-${index}` }));
      const lines = await linesOf(metrics, 'kn_eventing_dispatch_duration_seconds_count');
      assert.equal(lines.length, 201);
      assert.match(lines.at(-1) ?? '', /cloudevents_type="other"} 100$/);
    }));

  test('stop at two thousand series of a histogram, and count the rest in one', () =>
    withMetrics(async (metrics) => {
      for (let route = 0; route < 30; route += 1) {
        for (let type = 0; type < 100; type += 1) {
          const entry = sampleEntry({}, { type: `type-${type}` });
          facts.attempted.publish(sampleAttempt({ route: `trigger/shop/t-${route}` }, entry));
        }
      }
      const lines = await linesOf(metrics, 'kn_eventing_dispatch_duration_seconds_count');
      assert.equal(lines.length, 2_001);
      assert.equal(lines.at(-1), 'kn_eventing_dispatch_duration_seconds_count{otel_metric_overflow="true"} 1000');
    }));

  test('escape what strangers put into labels', () =>
    withMetrics(async (metrics) => {
      accept(sampleEntry({}, { type: 'a"b\\c' }));
      const [line = ''] = await linesOf(metrics, 'kn_eventing_dispatch_duration_seconds_count');
      assert.ok(line.includes('cloudevents_type="a\\"b\\\\c"'), line);
    }));

  test('tell of the process, in a registry of their own', () =>
    withMetrics((one) =>
      withMetrics(async (other) => {
        accept(sampleEntry());
        assert.equal((await linesOf(one, 'process_resident_memory_bytes')).length, 1);
        assert.equal((await linesOf(other, 'millrace_events_accepted_total')).length, 1);
        assert.match(one.contentType, /^text\/plain; version=0\.0\.4/);
      }),
    ));

  test('leave no listener behind', () => {
    startMetrics({ gauges: () => NOTHING }).close();
    assert.deepEqual(
      Object.values(facts).map((channel) => channel.hasSubscribers),
      [false, false, false, false],
    );
  });
});
