import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { idleWorkers } from './idle-workers.ts';
import { heldClock } from './instances.fixture.ts';

/** Workers by number; each ends when it is killed. */
function makeWorkers() {
  const alive = new Map<number, () => void>();
  let begun = 0;
  return {
    alive,
    begin() {
      const id = (begun += 1);
      const { promise: exit, resolve } = Promise.withResolvers<void>();
      const kill = (): void => {
        alive.delete(id);
        resolve();
      };
      alive.set(id, kill);
      return { id, exit, kill };
    },
  };
}

describe('workers that wait', () => {
  const { after, pass } = heldClock();

  test('are as many as wanted, whatever is taken', async () => {
    const { alive, begin } = makeWorkers();
    const idle = idleWorkers(begin, after);
    assert.equal(idle.take(), undefined);
    await idle.keep(2);
    assert.deepEqual([idle.take()?.id, idle.take((worker) => worker.id === 7)?.id], [1, undefined]);
    await idle.keep(2);
    assert.deepEqual([...alive.keys()], [1, 2, 3]);
    await idle.keep(0);
    assert.deepEqual([...alive.keys()], [1]);
  });

  test('are replaced when they die: at first soon, then ever later, until one is taken', async () => {
    const { alive, begin } = makeWorkers();
    const idle = idleWorkers(begin, after);
    await idle.keep(1);
    const replacedAfter = async (milliseconds: number): Promise<void> => {
      alive.forEach((kill) => kill());
      await pass(milliseconds - 1);
      assert.equal(alive.size, 0);
      await pass(1);
      assert.equal(alive.size, 1);
    };
    for (const wait of [100, 200, 400, 800]) await replacedAfter(wait);
    idle.take()?.kill();
    await idle.keep(1);
    await replacedAfter(100);
    alive.forEach((kill) => kill());
    await pass(0);
    await idle.keep(0);
    await pass(60_000);
    assert.equal(alive.size, 0);
  });

  test('are tried again when they cannot be begun', async () => {
    const { alive, begin } = makeWorkers();
    let isFull = true;
    const idle = idleWorkers(() => {
      if (isFull) throw new Error('no room');
      return begin();
    }, after);
    await idle.keep(1);
    isFull = false;
    await pass(100);
    assert.equal(alive.size, 1);
  });
});
