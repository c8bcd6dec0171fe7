import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GateRefusal, MAX_HOPS, openGate } from './gate.ts';
import type { Arrival } from './gate.ts';
import { openMemoryStore } from './memory.ts';
import { draft, failed } from './store.contract.ts';

async function openedGate() {
  const store = openMemoryStore();
  const gate = openGate({ log: store.log, maxEventBytes: 10, now: () => 1 });
  const [asked] = await store.log.append([draft()]);
  return { store, gate, position: asked!.position };
}

test('a reply enters with what became of the delivery that brought it', async () => {
  const { store, gate, position } = await openedGate();
  const { event } = draft();
  const [reply] = await gate.enter(
    'replies',
    [{ event, hops: 1, cause: { position, route: 'a' } }],
    failed({ position, outcome: 'delivered' }),
  );
  assert.equal(store.log.end('replies'), reply!.position);
  assert.equal(store.history.attempts(position)[0]!.outcome, 'delivered');
});

const refusals: [GateRefusal['code'], (event: Arrival['event']) => Arrival][] = [
  ['too-large', () => ({ event: draft({ data: 'more than ten bytes' }).event })],
  ['too-many-hops', (event) => ({ event, hops: MAX_HOPS + 1 })],
];

for (const [code, refused] of refusals) {
  test(`what is ${code} takes all that came with it along, and the settlement`, async () => {
    const { store, gate, position } = await openedGate();
    const { event } = draft();
    const settlement = failed({ position, outcome: 'delivered' });
    await assert.rejects(
      gate.enter('replies', [{ event }, refused(event)], settlement),
      (error) => error instanceof GateRefusal && error.code === code,
    );
    assert.equal(store.log.end('replies'), 0);
    assert.deepEqual(store.history.attempts(position), []);
  });
}
