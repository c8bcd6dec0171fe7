import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createReplayGuard } from './replay.ts';

test('an id is forgotten after its time', async () => {
  let now = 0;
  let runs = 0;
  const guard = createReplayGuard(() => now);
  const work = async () => void (runs += 1);
  await guard.once('a', 100, work);
  now = 99;
  await guard.once('a', 199, work);
  assert.equal(runs, 1);
  now = 100;
  await guard.once('a', 200, work);
  assert.equal(runs, 2);
});

test('memory is bounded: the oldest ids are pushed out', async () => {
  let runs = 0;
  const guard = createReplayGuard(() => 0);
  const work = async () => void (runs += 1);
  const long = 'x'.repeat(64 * 1024);
  for (let index = 0; index < 400; index += 1) await guard.once(`${index}${long}`, 1, work);
  await guard.once(`399${long}`, 1, work);
  assert.equal(runs, 400);
  await guard.once(`0${long}`, 1, work);
  assert.equal(runs, 401);
});
