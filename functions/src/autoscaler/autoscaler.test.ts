import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Scaling } from '@millrace/resources/scaling';
import { scalingOf } from '@millrace/resources/scaling';

import { Autoscaler } from './autoscaler.ts';
import type { AutoscalerOptions } from './autoscaler.ts';

/** One call at once for each instance, so a target of 0.7; begins without instances. */
function make(annotated: Partial<Scaling> = {}, options: Partial<AutoscalerOptions> = {}) {
  const scaling = { ...scalingOf({}), initialScale: 0, ...annotated };
  const autoscaler = new Autoscaler({ scaling, containerConcurrency: 1, now: 0, ...options });
  return {
    autoscaler,
    /** Observes the same for each of these seconds. */
    observe(from: number, to: number, concurrency: number, ready = 1) {
      for (let second = from; second < to; second++) {
        autoscaler.observe({ now: second * 1_000, ready, concurrency, requests: concurrency });
      }
    },
    desired: (second: number, ready: number) => autoscaler.decide(second * 1_000, ready).desired,
  };
}

describe('a revision without instances', () => {
  test('gets one as soon as its first call is told of', () => {
    const { autoscaler, desired } = make({}, { containerConcurrency: 10 });
    assert.equal(desired(5, 0), 0);
    autoscaler.poke(5_001);
    assert.equal(autoscaler.decide(5_001, 0).desired, 1);
  });

  test('counts its first call once, and all of the second that follows it once', () => {
    const { autoscaler } = make();
    autoscaler.poke(300);
    autoscaler.poke(310);
    autoscaler.observe({ now: 999, ready: 0, concurrency: 3, requests: 4 });
    assert.equal(autoscaler.decide(999, 0).stable, 3);
    autoscaler.observe({ now: 1_999, ready: 0, concurrency: 3, requests: 0 });
    assert.equal(autoscaler.decide(1_999, 0).stable, 3);
  });

  test('has nothing to report: a call after a silence is not lost in the average', () => {
    const { autoscaler, observe } = make();
    observe(0, 50, 0, 0);
    autoscaler.poke(50_000);
    assert.equal(autoscaler.decide(50_000, 0).stable, 1);
  });

  test('is given up when it never starts and nobody calls it', () => {
    const { desired, autoscaler } = make({ initialScale: 1 });
    assert.deepEqual([desired(0, 0), desired(629, 0), desired(630, 0)], [1, 1, 0]);
    assert.equal(autoscaler.decide(632_000, 0).reason, 'nothing was measured: as many as before');
  });

  test('stays as it is when nothing is measured', () => {
    const { observe, desired } = make();
    observe(0, 10, 3);
    assert.equal(desired(10, 3), 5);
    assert.equal(desired(3_600, 5), 5);
  });
});

describe('a revision that nobody calls any more', () => {
  test('goes down to nothing a stable window after its last call', () => {
    const { autoscaler, observe } = make({}, { containerConcurrency: 0 });
    const zeroAt: number[] = [];
    observe(0, 10, 50);
    for (let second = 10; second < 100; second += 2) {
      observe(second, second + 2, 0);
      if (autoscaler.decide((second + 1) * 1_000, 1).desired === 0) zeroAt.push(second + 1);
    }
    // The last call is of second 9; at 69 s it is out of the window. Marked inactive at 71 s: active since 11 s.
    assert.equal(zeroAt[0], 73);
  });

  test('keeps min-scale', () => {
    const { observe, desired } = make({ minScale: 2 });
    observe(0, 200, 0, 2);
    assert.equal(desired(200, 2), 2);
  });
});

describe('bounds', () => {
  test('the initial scale holds until it was reached once', () => {
    const { observe, desired } = make({ initialScale: 4 });
    assert.equal(desired(0, 0), 4);
    observe(1, 3, 1, 3);
    assert.equal(desired(3, 3), 4, 'three are ready');
    assert.equal(desired(5, 4), 4, 'reached now');
    assert.equal(desired(7, 4), 2, 'ceil(1 / 0.7)');
  });

  test('max-scale beats everything, also the initial scale', () => {
    const { observe, desired } = make({ maxScale: 3, initialScale: 5 });
    assert.equal(desired(0, 0), 3);
    observe(0, 5, 100);
    assert.equal(desired(5, 3), 3);
  });

  test('without a max-scale there are at most 10, or what the caller says, or min-scale', () => {
    const most = (...[annotated, options]: Parameters<typeof make>) => {
      const { observe, desired } = make(annotated, options);
      observe(0, 5, 100);
      return desired(5, 1);
    };
    assert.equal(most({}), 10);
    assert.equal(most({}, { mostInstances: 4 }), 4);
    assert.equal(most({ minScale: 6 }, { mostInstances: 4 }), 6);
    assert.equal(most({ maxScale: 20 }, { mostInstances: 4 }), 20);
  });

  test('a revision without traffic needs no min-scale', () => {
    const { autoscaler, observe } = make({ minScale: 3 });
    observe(0, 100, 0, 3);
    autoscaler.decide(2_000, 3);
    assert.equal(autoscaler.decide(100_000, 3).desired, 3);
    assert.equal(autoscaler.decide(102_000, 3, false).desired, 3, 'marked inactive');
    assert.equal(autoscaler.decide(104_000, 3, false).desired, 0);
  });
});

describe('a decision', () => {
  test('does not change what is measured, however often it is asked for', () => {
    const calm = make();
    const often = make();
    for (let second = 0; second < 90; second++) {
      const observation = { now: second * 1_000 + 5, ready: 1, concurrency: second % 7, requests: 1 };
      calm.autoscaler.observe(observation);
      often.autoscaler.observe(observation);
      for (let call = 0; call < 20; call++) often.autoscaler.decide(second * 1_000 + 10 * call + 5, 1);
      if (second % 2 === 1) {
        const [one, other] = [calm, often].map(({ autoscaler }) => autoscaler.decide(second * 1_000 + 300, 1));
        assert.deepEqual([one?.stable, one?.panic], [other?.stable, other?.panic]);
      }
    }
  });

  test('says what it was made of, for people', () => {
    const { autoscaler, observe } = make({ maxScale: 3 }, { containerConcurrency: 10 });
    observe(0, 10, 20);
    assert.deepEqual(autoscaler.decide(9_000, 2), {
      desired: 3,
      stable: 20,
      panic: 20,
      isPanicking: false,
      excessBurstCapacity: -211, // floor(2 × 10 - 211 - 20)
      reason: '20 calls at once on average in 60 s, 7 for each instance',
    });
    observe(10, 70, 30);
    assert.equal(autoscaler.decide(69_000, 3).reason, 'max-scale 3');
  });

  test('of a revision that was there before keeps its instances', () => {
    const { autoscaler, observe } = make({}, { ready: 6 });
    assert.equal(autoscaler.decide(0, 6).desired, 6);
    observe(0, 2, 0, 6);
    const { desired, isPanicking } = autoscaler.decide(2_000, 6);
    assert.deepEqual([desired, isPanicking], [6, true]);
  });
});
