import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Scaling } from '@millrace/resources/scaling';
import { scalingOf } from '@millrace/resources/scaling';

import { decide, excessBurstCapacity, firstDecisionState } from './decide.ts';
import type { DecisionState, Load } from './decide.ts';
import { metricTarget } from './target.ts';

const DEFAULTS = scalingOf({});
const CALM: DecisionState = { panic: undefined, recent: [] };
const NOW = 1_000_000;

/** Decides with a containerConcurrency of 10, so a target of 7, where a case says nothing else. */
function wanted(load: Partial<Load>, annotated: Partial<Scaling> = {}, state = CALM, containerConcurrency = 10) {
  const scaling = { ...DEFAULTS, ...annotated };
  const whole = { now: NOW, ready: 1, stable: 0, panic: 0, isReachable: true, ...load };
  return decide(whole, scaling, metricTarget(scaling, containerConcurrency), state);
}

const panicking = (mostInstances: number, since = NOW): DecisionState => ({
  panic: { since, mostInstances },
  recent: [],
});

describe('a decision', () => {
  interface Case {
    readonly name: string;
    readonly load: Partial<Load>;
    readonly annotated?: Partial<Scaling>;
    readonly containerConcurrency?: number;
    readonly state?: DecisionState;
    readonly instances: number;
    readonly reason: RegExp;
  }
  const cases: readonly Case[] = [
    {
      name: 'divides the stable average by the target, and rounds up',
      load: { ready: 3, stable: 21.5, panic: 21.5 }, // 21.5 / 7 = 3.07; 4 / 3 < 2: calm
      instances: 4,
      reason: /^21.5 calls at once on average in 60 s, 7 for each instance$/,
    },
    {
      name: 'has no instance too many when the load is exactly the target',
      load: { ready: 3, stable: 21, panic: 21 }, // 21 / 7
      instances: 3,
      reason: /^21 calls/,
    },
    {
      name: 'has the default target without containerConcurrency',
      load: { ready: 2, stable: 141, panic: 141 }, // 141 / 70 = 2.01
      containerConcurrency: 0,
      instances: 3,
      reason: /^141 calls at once on average in 60 s, 70 for each instance$/,
    },
    {
      name: 'goes by calls a second when these are the metric',
      load: { ready: 2, stable: 281, panic: 281 }, // 281 / (200 × 0.7) = 2.007
      annotated: { metric: 'rps' },
      instances: 3,
      reason: /^281 calls a second on average in 60 s, 140 for each instance$/,
    },
    {
      name: 'goes by the annotated target where it is below containerConcurrency',
      load: { ready: 3, stable: 8, panic: 8 }, // 8 / (3 × 0.7) = 3.8
      annotated: { target: 3 },
      instances: 4,
      reason: /2.1 for each/,
    },
    {
      name: 'goes by the annotated utilization',
      load: { ready: 3, stable: 21.5, panic: 21.5 }, // 21.5 / (10 × 1) = 2.15
      annotated: { targetUtilizationPercentage: 100 },
      instances: 3,
      reason: /10 for each/,
    },
    {
      name: 'at most halves the instances at once',
      load: { ready: 9, stable: 1, panic: 1 }, // max(1, floor(9 / 2))
      instances: 4,
      reason: /^at most halved at once$/,
    },
    {
      name: 'goes from one instance to none',
      load: { ready: 1 }, // max(0, floor(1 / 2))
      instances: 0,
      reason: /^0 calls/,
    },
    {
      name: 'ends everything at once where no traffic is routed to',
      load: { ready: 9, isReachable: false },
      instances: 0,
      reason: /^0 calls/,
    },
    {
      name: 'has at most a thousand times as many at once, counted from one when there is none',
      load: { ready: 0, stable: 7_007, panic: 0 }, // 1001, at most 1000 × max(1, 0)
      instances: 1_000,
      reason: /^at most 1000 times as many at once$/,
    },
    {
      name: 'begins with activation-scale when there is any load',
      load: { ready: 0, stable: 1, panic: 1 }, // ceil(1 / 7) = 1; 1 / 1 < 2: calm
      annotated: { activationScale: 3 },
      instances: 3,
      reason: /^activation-scale 3$/,
    },
    {
      name: 'has none of activation-scale without load',
      load: { ready: 0 },
      annotated: { activationScale: 3 },
      instances: 0,
      reason: /^0 calls/,
    },
    {
      name: 'goes by the panic average when that wants twice of what is ready',
      load: { ready: 2, stable: 8, panic: 22 }, // ceil(22 / 7) = 4; 4 / 2 >= 2
      instances: 4,
      reason: /^a burst: 22 calls at once on average in 6 s/,
    },
    {
      name: 'does not panic below the threshold',
      load: { ready: 3, stable: 8, panic: 35 }, // 5 / 3 < 2; stable: 2
      instances: 2,
      reason: /^8 calls/,
    },
    {
      name: 'panics at the annotated threshold',
      load: { ready: 3, stable: 8, panic: 35 }, // 5 / 3 >= 1.5
      annotated: { panicThresholdPercentage: 150 },
      instances: 5,
      reason: /^a burst/,
    },
    {
      name: 'measures the threshold before it limits the rate',
      load: { ready: 1, stable: 0, panic: 7_700 }, // 1100, limited to 1000
      instances: 1_000,
      reason: /^a burst: at most 1000 times/,
    },
    {
      name: 'goes by the stable average in panic when that wants more',
      load: { ready: 4, stable: 70, panic: 14 }, // 10 over 2
      state: panicking(5),
      instances: 10,
      reason: /^70 calls/,
    },
    {
      name: 'has never fewer in panic',
      load: { ready: 8, stable: 14, panic: 7 }, // max(2, 4) and 4
      state: panicking(8),
      instances: 8,
      reason: /^not fewer until the last burst is 60 s ago$/,
    },
    {
      name: 'is still in panic a stable window after the last burst',
      load: { ready: 8 },
      state: panicking(8, NOW - 60_000),
      instances: 8,
      reason: /^not fewer/,
    },
    {
      name: 'is calm after a stable window without a burst',
      load: { ready: 8 },
      state: panicking(8, NOW - 60_001),
      instances: 4,
      reason: /^at most halved/,
    },
    {
      name: 'counts activation-scale in panic too',
      load: { ready: 1, panic: 14 }, // 2 / 1 >= 2
      annotated: { activationScale: 5 },
      instances: 5,
      reason: /^a burst: activation-scale 5$/,
    },
  ];
  for (const { name, load, annotated, state, containerConcurrency, instances, reason } of cases) {
    test(name, () => {
      const decision = wanted(load, annotated, state, containerConcurrency);
      assert.equal(decision.instances, instances);
      assert.match(decision.reason, reason);
    });
  }

  test('keeps in mind since when it panics and what was wanted most', () => {
    const entered = wanted({ ready: 1, panic: 22, now: 1_000 });
    assert.deepEqual(entered.state.panic, { since: 1_000, mostInstances: 4 });
    const extended = wanted({ ready: 1, panic: 15, now: 2_000 }, {}, entered.state);
    assert.deepEqual(extended.state.panic, { since: 2_000, mostInstances: 4 });
    const waiting = wanted({ ready: 4, panic: 36, now: 3_000 }, {}, extended.state);
    assert.deepEqual(waiting.state.panic, { since: 2_000, mostInstances: 6 }, 'more, though below the threshold');
    assert.equal(wanted({ ready: 6, now: 62_001 }, {}, waiting.state).state.panic, undefined);
  });

  test('a new autoscaler that finds several instances keeps them for a stable window', () => {
    const state = firstDecisionState(NOW, 5);
    assert.equal(wanted({ ready: 5 }, {}, state).instances, 5);
    assert.equal(wanted({ ready: 5, now: NOW + 60_001 }, {}, state).instances, 2);
    assert.equal(firstDecisionState(NOW, 1).panic, undefined);
  });
});

describe('scale-down-delay', () => {
  const delay = { scaleDownDelayMs: 10_000 };
  /** What is wanted tick by tick when these are the instances that the load needs. */
  const delayed = (needs: readonly number[], load: Partial<Load> = {}) => {
    let state = CALM;
    return needs.map((need, tick) => {
      const decision = wanted({ ready: 5, stable: need * 7, now: NOW + tick * 2_000, ...load }, delay, state);
      ({ state } = decision);
      return decision.instances;
    });
  };

  test('keeps the most that was wanted within it', () => {
    assert.deepEqual(delayed([5, 4, 3, 3, 3, 3, 3]), [5, 5, 5, 5, 5, 4, 3]);
  });

  test('does not delay more instances', () => {
    assert.deepEqual(delayed([3, 5, 9, 2]), [3, 5, 9, 9]);
  });

  test('is nothing to a revision that no traffic is routed to', () => {
    assert.deepEqual(delayed([5, 3, 0], { isReachable: false }), [5, 3, 0]);
  });

  test('remembers only what may still count, however often is decided', () => {
    let state = CALM;
    for (let call = 0; call < 5_000; call++) {
      ({ state } = wanted({ ready: 5, stable: (call % 5) * 7, now: NOW + call }, delay, state));
    }
    assert.ok(state.recent.length <= 5, String(state.recent.length));
  });
});

describe('the capacity for a burst', () => {
  const capacity = (targetBurstCapacity: number, ready: number, panicAverage: number) =>
    excessBurstCapacity(
      { ...DEFAULTS, targetBurstCapacity },
      { metric: 'concurrency', total: 100, target: 70 },
      ready,
      panicAverage,
    );

  test('is what is left of all instances after the burst and the load', () => {
    assert.equal(capacity(211, 3, 20.5), 68); // floor(300 - 211 - 20.5)
    assert.equal(capacity(211, 2, 20.5), -32); // floor(-31.5)
    assert.equal(capacity(211, 0, 0), -211);
  });

  test('is always 0 when calls never need the activator, and -1 when they always do', () => {
    assert.equal(capacity(0, 0, 500), 0);
    assert.equal(capacity(-1, 50, 0), -1);
  });
});
