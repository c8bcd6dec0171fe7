import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Scaling } from '@millrace/resources/scaling';
import { scalingOf } from '@millrace/resources/scaling';
import * as fc from 'fast-check';

import { Autoscaler } from './autoscaler.ts';
import { NaiveAutoscaler } from './simulation.fixture.ts';

/** Calls at once in each second. */
type Load = readonly number[];

interface World {
  readonly annotated?: Partial<Scaling>;
  readonly containerConcurrency?: number;
  readonly mostInstances?: number;
  /** How long a second takes for who observes: timers are late. Milliseconds. */
  readonly period?: number;
  /** How long an instance takes to be ready. */
  readonly startSeconds?: number;
  /** From this second on no traffic is routed to the revision. */
  readonly unreachableFrom?: number;
}

/**
 * Drives both autoscalers through a load and holds every decision of the one against that of the other. Observes once
 * a second, decides every two, and at once after a first call; instances start late and end at once.
 */
function drive(load: Load, world: World): readonly number[] {
  const { containerConcurrency = 10, mostInstances = 50, startSeconds = 2, unreachableFrom = Infinity } = world;
  const { period = 1_000 } = world;
  const scaling: Scaling = { ...scalingOf({}), initialScale: 1, ...world.annotated };
  const autoscaler = new Autoscaler({ scaling, containerConcurrency, now: 0, mostInstances });
  const naive = new NaiveAutoscaler(scaling, containerConcurrency, 0, mostInstances);
  /** The second from which each instance is ready. */
  let instances: number[] = Array.from({ length: naive.replicas }, () => startSeconds);
  const trace: number[] = [];

  const decide = (now: number, second: number): void => {
    const ready = instances.filter((from) => from <= second).length;
    const isReachable = second < unreachableFrom;
    const decision = autoscaler.decide(now, ready, isReachable);
    assert.equal(decision.desired, naive.tick(now, ready, isReachable), `second ${second}: ${decision.reason}`);
    assert.equal(decision.isPanicking, naive.panicTime !== undefined, `second ${second}`);
    assert.equal(decision.excessBurstCapacity, naive.excessBurstCapacity, `second ${second}`);
    instances = instances.slice(0, decision.desired);
    while (instances.length < decision.desired) instances.push(second + startSeconds);
  };

  load.forEach((calls, second) => {
    const ready = instances.filter((from) => from <= second).length;
    if (calls > 0 && ready === 0 && (load[second - 1] ?? 0) === 0) {
      autoscaler.poke(second * period + 10);
      naive.poke(second * period + 10);
      decide(second * period + 10, second);
    }
    const now = second * period + 900;
    autoscaler.observe({ now, ready, concurrency: calls, requests: calls * 3 });
    naive.observe(now, ready, calls, calls * 3);
    if (second % 2 === 1) decide(now + 50, second);
    trace.push(instances.length);
  });
  return trace;
}

const seconds = (count: number, calls: (second: number) => number): Load =>
  Array.from({ length: count }, (_, i) => calls(i));
const silence = (count: number): Load => seconds(count, () => 0);

describe('beside a simulation that recomputes everything, the autoscaler wants the same of', () => {
  // With a containerConcurrency of 10 an instance is given 7 calls at once.
  const SHAPES: readonly { name: string; load: Load; most: number; last: number }[] = [
    { name: 'a constant load', load: seconds(300, () => 33), most: 5, last: 5 },
    { name: 'a burst', load: [...silence(10), ...seconds(15, () => 120), ...silence(250)], most: 18, last: 0 },
    {
      name: 'a ramp',
      load: [...seconds(200, (i) => i / 2), ...seconds(200, (i) => 100 - i / 2), ...silence(150)],
      most: 14,
      last: 0,
    },
    { name: 'a sawtooth', load: seconds(600, (i) => (i % 50) * 2), most: 14, last: 8 },
    { name: 'silence', load: silence(200), most: 1, last: 0 },
    { name: 'single calls far apart', load: seconds(600, (i) => (i % 130 === 100 ? 1 : 0)), most: 1, last: 0 },
  ];
  for (const { name, load, most, last } of SHAPES) {
    test(name, () => {
      const trace = drive(load, {});
      assert.deepEqual({ most: Math.max(...trace), last: trace.at(-1) }, { most, last });
    });
  }

  const WORLDS: Readonly<Record<string, World>> = {
    'no limit of concurrency': { containerConcurrency: 0 },
    'one call at once': { containerConcurrency: 1, mostInstances: 10 },
    'calls a second': { annotated: { metric: 'rps', target: 20 } },
    'a weighted window': { annotated: { metricAggregationAlgorithm: 'weighted-exponential' } },
    'a short window': { annotated: { windowMs: 6_000, panicWindowPercentage: 50, panicThresholdPercentage: 120 } },
    bounds: { annotated: { minScale: 2, maxScale: 4, initialScale: 3 } },
    'an activation scale and a delay': { annotated: { activationScale: 4, scaleDownDelayMs: 25_000 } },
    'a retention': { annotated: { scaleToZeroPodRetentionMs: 45_000, targetBurstCapacity: 0 } },
    'a small burst capacity': { annotated: { targetBurstCapacity: 5 } },
    'no capacity for bursts': { annotated: { targetBurstCapacity: -1, initialScale: 0 } },
    'traffic that goes away': { annotated: { minScale: 3, scaleDownDelayMs: 60_000 }, unreachableFrom: 100 },
    'timers that are late': { period: 1_013 },
    'instances that never start': { startSeconds: Infinity },
    'instances that start slowly': { startSeconds: 75 },
  };
  for (const [name, world] of Object.entries(WORLDS)) {
    test(`every shape with ${name}`, () => {
      for (const { load } of SHAPES) drive([...load, ...silence(100), ...load], world);
    });
  }

  test('any load with any annotations', () => {
    const stretches = fc.array(
      fc.record({
        length: fc.integer({ min: 1, max: 90 }),
        calls: fc.oneof(fc.constant(0), fc.nat(80)),
        slope: fc.integer({ min: -2, max: 2 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    const worlds = fc.record({
      annotated: fc.record(
        {
          metric: fc.constantFrom('concurrency', 'rps'),
          target: fc.integer({ min: 1, max: 30 }),
          targetUtilizationPercentage: fc.integer({ min: 1, max: 100 }),
          targetBurstCapacity: fc.constantFrom(-1, 0, 3, 211),
          minScale: fc.nat(3),
          maxScale: fc.constantFrom(0, 3, 8),
          initialScale: fc.nat(5),
          activationScale: fc.integer({ min: 1, max: 3 }),
          scaleDownDelayMs: fc.constantFrom(0, 1_000, 20_000),
          windowMs: fc.integer({ min: 6, max: 80 }).map((length) => length * 1_000),
          panicWindowPercentage: fc.integer({ min: 1, max: 100 }),
          panicThresholdPercentage: fc.integer({ min: 110, max: 1_000 }),
          scaleToZeroPodRetentionMs: fc.constantFrom(0, 10_000, 50_000),
          metricAggregationAlgorithm: fc.constantFrom('linear', 'weighted-exponential'),
        } satisfies { [Field in keyof Scaling]?: fc.Arbitrary<Scaling[Field]> },
        { requiredKeys: [] },
      ),
      containerConcurrency: fc.nat(5),
      mostInstances: fc.integer({ min: 1, max: 20 }),
      period: fc.integer({ min: 990, max: 1_010 }),
      startSeconds: fc.nat(20),
      unreachableFrom: fc.oneof(fc.constant(Infinity), fc.nat(300)),
    });
    fc.assert(
      fc.property(stretches, worlds, (parts, world) => {
        const load = parts.flatMap(({ length, calls, slope }) =>
          seconds(length, (i) => Math.max(0, calls + slope * i)),
        );
        const trace = drive(load, world);
        const { minScale = 0, maxScale = 0 } = world.annotated;
        const most = maxScale > 0 ? maxScale : Math.max(world.mostInstances, minScale);
        const least = world.unreachableFrom === Infinity ? Math.min(minScale, most) : 0;
        for (const instances of trace) assert.ok(instances >= least && instances <= most);
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});
