import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { makeEvent } from '@millrace/event/event';

import { openMemoryStore } from '../log/memory.ts';
import type { Store } from '../log/store.ts';
import type { Outcome, Settlement } from '../log/progress.ts';
import { Strands } from './strands.ts';
import type { End } from './strands.ts';

/** What a delivery comes to: a reply that goes on, or an end. The last attempts of some fail before that. */
interface Hop {
  readonly failures: number;
  readonly outcome: 'replied' | 'silent' | 'parked' | 'cancelled' | 'deadLettered' | 'forwarded dead';
}

const STEPS = 5;
const ENDS = ['silent', 'parked', 'cancelled', 'deadLettered', 'forwarded dead'] as const;
const OUTCOMES: Readonly<Record<Hop['outcome'], Outcome>> = {
  replied: 'delivered',
  silent: 'delivered',
  parked: 'parked',
  cancelled: 'cancelled',
  deadLettered: 'deadLettered',
  'forwarded dead': 'deadLettered',
};

const topicOf = (step: number) => (step < STEPS ? `step/${step}` : 'results');
const failures = fc.integer({ min: 0, max: 2 });
const strand: fc.Arbitrary<readonly Hop[]> = fc
  .tuple(
    fc.array(fc.record({ failures, outcome: fc.constant('replied' as const) }), { maxLength: STEPS }),
    fc.record({ failures, outcome: fc.constantFrom(...ENDS) }),
  )
  .map(([replies, end]): readonly Hop[] => (replies.length === STEPS ? replies : (replies as Hop[]).concat(end)));

function startStrands(store: Store): Strands {
  const stepOf = ({ topic }: { topic: string }) => (topic.startsWith('step/') ? topic : undefined);
  return new Strands({ history: store.history, stepOf, beganAt: () => 0 });
}

/** All that happens, one thing after the other: written, and then told to whoever is to hear of it. */
async function* happen(store: Store, hops: readonly Hop[], tell: () => Strands): AsyncGenerator<void> {
  let position = 1;
  for (const [step, { failures: failed, outcome }] of hops.entries()) {
    const route = topicOf(step);
    const settlement = (attempt: number, what: Outcome): Settlement => {
      const failure = { destination: route, message: `failed ${attempt}` };
      const isWell = what === 'delivered';
      const common = { route, position, attempt, startedAt: attempt, duration: 0, waited: attempt > 1 };
      const stage = what === 'deadLettered' ? 'deadLetterSink' : 'subscriber';
      const next = what === 'retrying' ? { dueAt: attempt, stage: 'subscriber' as const, tries: attempt } : undefined;
      return { ...common, stage, outcome: what, next, ...(isWell ? {} : { failure, root: failure }) };
    };
    for (let attempt = 1; attempt <= failed; attempt += 1) {
      const made = settlement(attempt, 'retrying');
      await store.progress.settle([made]);
      tell().settled(made);
      yield;
    }
    const made = settlement(failed + 1, OUTCOMES[outcome]);
    if (outcome === 'replied' || outcome === 'forwarded dead') {
      const topic = outcome === 'replied' ? topicOf(step + 1) : 'channel/dead';
      const dead = outcome === 'replied' ? {} : { knativeerrordest: 'http://there' };
      const event = makeEvent({ specversion: '1.0', id: `${step}`, source: '/s', type: 't', ...dead }, undefined);
      const draft = { topic, event, arrivedAt: 0, hops: step + 1, cause: { position, route } };
      const entries = await store.log.append([draft], made);
      tell().entered(entries);
      position = entries[0]!.position;
    } else {
      await store.progress.settle([made]);
    }
    tell().settled(made);
    yield;
  }
}

async function begin(): Promise<Store> {
  const store = openMemoryStore();
  const event = makeEvent({ specversion: '1.0', id: 'root', source: '/s', type: 't' }, undefined);
  await store.log.append([{ topic: topicOf(0), event, arrivedAt: 0, hops: 0 }]);
  return store;
}

/** How a strand ends for one who follows it from the moment when so many things have happened. */
async function endFrom(hops: readonly Hop[], from: number): Promise<readonly End[]> {
  const store = await begin();
  const strands = startStrands(store);
  const ends: End[] = [];
  const follow = () => strands.catchUp([strands.follow({ position: 1, route: topicOf(0) }, (end) => ends.push(end))]);
  let happened = 0;
  if (from === 0) follow();
  for await (const _ of happen(store, hops, () => strands)) {
    happened += 1;
    if (happened === from) follow();
  }
  assert.equal(strands.size, 0, 'nothing is followed any more');
  return ends;
}

describe('a strand', () => {
  test('ends once and in the same way, whenever one begins to follow it', async () => {
    await fc.assert(
      fc.asyncProperty(strand, async (hops) => {
        const moments = hops.reduce((sum, it) => sum + it.failures + 1, 0);
        const live = await endFrom(hops, 0);
        assert.equal(live.length, 1);
        for (let from = 1; from <= moments; from += 1)
          assert.deepEqual(await endFrom(hops, from), live, `from ${from}`);
      }),
      { numRuns: 200 },
    );
  });

  test('ends as failed, not with the dead letter, when its delivery goes to a sink that is a topic', async () => {
    const [end] = await endFrom([{ failures: 1, outcome: 'forwarded dead' }], 0);
    assert.deepEqual(end, { outcome: 'failed', route: 'step/0', reason: 'failed 1' });
  });

  test('has passed by what came before its route began', async () => {
    const store = await begin();
    const strands = new Strands({ history: store.history, stepOf: () => undefined, beganAt: () => 1 });
    const ends: End[] = [];
    strands.catchUp([strands.follow({ position: 1, route: 'new' }, (end) => ends.push(end))]);
    assert.deepEqual(ends, [{ outcome: 'passed' }]);
  });

  test('that is forgotten tells nothing', async () => {
    const store = await begin();
    const strands = startStrands(store);
    const followed = strands.follow({ position: 1, route: topicOf(0) }, () => assert.fail('told'));
    strands.forget(followed);
    for await (const _ of happen(store, [{ failures: 0, outcome: 'silent' }], () => strands));
    assert.equal(strands.size, 0);
  });
});
