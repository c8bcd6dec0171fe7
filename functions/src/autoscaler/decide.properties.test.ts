import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scalingOf } from '@millrace/resources/scaling';
import * as fc from 'fast-check';

import { decide } from './decide.ts';
import type { DecisionState } from './decide.ts';
import { metricTarget } from './target.ts';

const DEFAULTS = scalingOf({});
const NOW = 1_000_000;

describe('any decision', () => {
  const annotations = fc.record({
    panicThresholdPercentage: fc.integer({ min: 110, max: 1_000 }),
    activationScale: fc.integer({ min: 1, max: 8 }),
    scaleDownDelayMs: fc.constantFrom(0, 3_000, 30_000),
  });
  const loads = fc.record({
    now: fc.constant(NOW),
    ready: fc.nat(20),
    stable: fc.double({ min: 0, max: 500, noNaN: true }),
    panic: fc.double({ min: 0, max: 500, noNaN: true }),
    isReachable: fc.boolean(),
  });
  const states = fc
    .option(fc.record({ since: fc.integer({ min: NOW - 80_000, max: NOW }), mostInstances: fc.nat(30) }), {
      nil: undefined,
    })
    .map((panic): DecisionState => ({ panic, recent: [] }));
  const target = metricTarget(DEFAULTS, 10);

  test('is a whole number within the rates, and never fewer than before in panic', () => {
    fc.assert(
      fc.property(loads, annotations, states, (load, annotated, state) => {
        const scaling = { ...DEFAULTS, ...annotated };
        const { instances, state: after } = decide(load, scaling, target, state);
        const ready = Math.max(1, load.ready);
        assert.ok(Number.isInteger(instances));
        assert.ok(instances >= (load.isReachable ? Math.floor(ready / 2) : 0));
        assert.ok(instances <= Math.max(1_000 * ready, state.panic?.mostInstances ?? 0));
        if (after.panic === undefined) return;
        assert.ok(instances >= (state.panic?.mostInstances ?? 0));
        assert.equal(after.panic.mostInstances, instances);
      }),
    );
  });

  test('does not want fewer when there is more load', () => {
    fc.assert(
      fc.property(loads, fc.nat(100), fc.nat(100), annotations, states, (load, stable, panic, annotated, state) => {
        const scaling = { ...DEFAULTS, ...annotated };
        const more = { ...load, stable: load.stable + stable, panic: load.panic + panic };
        const instances = decide(load, scaling, target, state).instances;
        assert.ok(decide(more, scaling, target, state).instances >= instances);
      }),
    );
  });
});
