import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scalingOf } from '@millrace/resources/scaling';

import { firstGateState, passGate } from './scale-to-zero.ts';
import type { GateInput, GateState } from './scale-to-zero.ts';

const at = (second: number) => second * 1_000;

/** A revision with one ready instance, a stable window of 60 s and a progress deadline of 600 s. */
function gate(state: GateState, second: number, wanted: number | undefined, input: Partial<GateInput> = {}) {
  const { scaling = {}, ...rest } = input;
  return passGate(
    {
      now: at(second),
      wanted,
      ready: 1,
      leastReady: 1,
      excessBurstCapacity: 0,
      progressDeadlineMs: at(600),
      ...rest,
      scaling: { ...scalingOf({}), ...scaling },
    },
    state,
  );
}

const state = (phase: GateState['phase'], second: number, proxiedSince?: number): GateState => ({
  phase,
  since: at(second),
  proxiedSince: proxiedSince === undefined ? undefined : at(proxiedSince),
});

describe('the gate to zero', () => {
  test('lets everything but 0 pass', () => {
    for (const phase of ['activating', 'active', 'inactive'] as const) {
      const passed = gate(state(phase, 0), 1, 3);
      assert.deepEqual([passed.instances, passed.reason, passed.state.phase], [3, undefined, 'active']);
    }
  });

  test('is activating until enough are ready, and again when too few are', () => {
    const first = firstGateState(at(0), 2);
    const some = gate(first, 5, 2, { leastReady: 2 }).state;
    assert.deepEqual(some, state('activating', 0));
    const all = gate(some, 9, 2, { ready: 2, leastReady: 2 }).state;
    assert.deepEqual(all, state('active', 9));
    assert.deepEqual(gate(all, 20, 2, { leastReady: 2 }).state, state('activating', 20));
  });

  test('begins inactive without instances, and stays so until something is wanted', () => {
    const first = firstGateState(at(0), 0);
    const idle = gate(first, 4, undefined, { ready: 0 });
    assert.deepEqual([idle.instances, idle.state], [undefined, state('inactive', 0, 4)]);
    assert.equal(gate(idle.state, 6, 1, { ready: 0 }).state.phase, 'activating');
  });

  test('gives an activation up 30 s after its progress deadline, not before', () => {
    const activating = state('activating', 0);
    const waiting = gate(activating, 629, 0, { ready: 0 });
    assert.deepEqual([waiting.instances, waiting.state.phase], [undefined, 'activating']);
    const over = gate(activating, 630, 0, { ready: 0 });
    assert.deepEqual([over.instances, over.state.phase], [0, 'inactive']);
  });

  test('keeps one until it was active for a stable window, then only marks it inactive', () => {
    const active = state('active', 100);
    const kept = gate(active, 159, 0);
    assert.deepEqual([kept.instances, kept.state.phase], [1, 'active']);
    const marked = gate(kept.state, 160, 0);
    assert.deepEqual([marked.instances, marked.state], [undefined, state('inactive', 160, 160)]);
  });

  test('ends an inactive one after the grace period', () => {
    const inactive = state('inactive', 100, 100);
    assert.deepEqual(
      [gate(inactive, 129, 0).instances, gate(inactive, 129, 0).reason],
      [undefined, 'no calls: ends after its scale-to-zero-grace-period'],
    );
    assert.equal(gate(inactive, 130, 0).instances, 0);
  });

  test('ends an inactive one at once when the activator had all calls for the grace period already', () => {
    assert.equal(gate(state('inactive', 100, 70), 100, 0).instances, 0);
    assert.equal(gate(state('inactive', 100, 71), 100, 0).instances, undefined);
  });

  test('keeps an inactive one for its retention period, however long the activator had the calls', () => {
    const scaling = { ...scalingOf({}), scaleToZeroPodRetentionMs: at(50) };
    const inactive = state('inactive', 100, 0);
    const kept = gate(inactive, 149, 0, { scaling });
    assert.deepEqual(
      [kept.instances, kept.reason],
      [undefined, 'no calls: ends after its scale-to-zero-pod-retention-period'],
    );
    assert.equal(gate(inactive, 150, 0, { scaling }).instances, 0);
  });

  test('an inactive one that is called is active from then on', () => {
    assert.deepEqual(gate(state('inactive', 100, 100), 110, 1).state, state('active', 110));
  });

  test('the activator has all calls while there is no room for a burst, and not a moment longer', () => {
    const proxied = gate(state('active', 0), 5, 1, { excessBurstCapacity: -1 }).state;
    assert.equal(proxied.proxiedSince, at(5));
    assert.equal(gate(proxied, 9, 1, { excessBurstCapacity: -7 }).state.proxiedSince, at(5));
    assert.equal(gate(proxied, 9, 1, { excessBurstCapacity: 0 }).state.proxiedSince, undefined);
  });
});
