import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { heldClock } from './instances.fixture.ts';
import { startProbing } from './probe.ts';

const PROBE = { initialDelayMs: 0, periodMs: 10_000, successes: 1, failures: 3 };

/** A probe whose looks see `world.saw`, and what it told. */
function probing(changes: Partial<typeof PROBE> = {}, wasWell = false) {
  const clock = heldClock();
  const world = { saw: undefined as string | undefined, looks: 0, told: [] as string[] };
  const check = async () => {
    world.looks += 1;
    return world.saw;
  };
  const changed = (isWell: boolean, saw: string | undefined) => world.told.push(isWell ? 'well' : `unwell: ${saw}`);
  const begin = () => startProbing({ probe: { ...PROBE, ...changes }, check, clock, changed, wasWell });
  return { clock, world, begin };
}

describe('a probe', () => {
  test('looks every 25 ms until the first success, whatever its period, and every period from then on', async () => {
    const { clock, world, begin } = probing();
    world.saw = 'nothing yet';
    begin();
    await clock.pass(1_000);
    assert.deepEqual([world.looks, world.told], [41, []]);
    world.saw = undefined;
    await clock.pass(25);
    assert.deepEqual([world.looks, world.told], [42, ['well']]);
    await clock.pass(9_999);
    assert.equal(world.looks, 42);
    await clock.pass(1);
    assert.equal(world.looks, 43);
  });

  test('waits its initial delay, and for as many successes in a row as it asks', async () => {
    const { clock, world, begin } = probing({ initialDelayMs: 500, successes: 3 });
    begin();
    await clock.pass(499);
    assert.equal(world.looks, 0);
    await clock.pass(26);
    world.saw = 'trouble';
    await clock.pass(25);
    world.saw = undefined;
    await clock.pass(50);
    assert.deepEqual(world.told, []);
    await clock.pass(25);
    assert.deepEqual(world.told, ['well']);
  });

  test('takes readiness away after so many failures in a row, and gives it back', async () => {
    const { clock, world, begin } = probing();
    begin();
    await clock.pass(0);
    world.saw = '503';
    await clock.pass(20_000);
    world.saw = undefined;
    await clock.pass(10_000);
    world.saw = '503';
    await clock.pass(20_000);
    assert.deepEqual(world.told, ['well']);
    await clock.pass(10_000);
    assert.deepEqual(world.told, ['well', 'unwell: 503']);
    world.saw = undefined;
    await clock.pass(10_000);
    assert.deepEqual(world.told, ['well', 'unwell: 503', 'well']);
  });

  test('of liveness begins as well and tells the end once', async () => {
    const { clock, world, begin } = probing({ periodMs: 1_000 }, true);
    world.saw = 'no answer';
    begin();
    await clock.pass(1_999);
    assert.deepEqual(world.told, []);
    await clock.pass(60_000);
    assert.deepEqual(world.told, ['unwell: no answer']);
  });

  test('that is stopped looks no more and tells nothing', async () => {
    const { clock, world, begin } = probing();
    const probe = begin();
    probe.stop();
    await clock.pass(60_000);
    assert.deepEqual([world.looks, world.told], [1, []]);
  });
});
