import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { Plan } from '@millrace/bus/plan/plan';

import { saidSeed } from '../support/chance.ts';
import { declare, refTo } from '../support/flows.ts';
import { eventOf, manifests, startBench } from './bench.ts';
import type { Bench } from './bench.ts';

// An event that is in a Choice goes one way, whatever becomes of its filters meanwhile.

const FLOW = 'choice/default/c';
const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
const IDS = ['1', '2', '3'];

/** Which subscriber takes events of which ids, in this order; the default takes the rest. Undefined: no Choice. */
type Ways = readonly (readonly [name: Name, ids: readonly string[]])[];

/** One at a time for each way, so that events wait in the topic while filters are changed. */
const ONE_AT_A_TIME = { name: 'c', annotations: { 'millrace.dev/concurrency': '1' } };

function planOf(ways: Ways | undefined, last: Name | undefined): Plan {
  if (ways === undefined) return manifests('');
  const choices = ways.map(([name, ids]) => ({
    filters: [{ any: [...ids.map((id) => ({ exact: { subject: id } })), { exact: { subject: 'nobody' } }] }],
    subscriber: refTo('Service', name),
  }));
  const spec = last === undefined ? { choices } : { choices, default: { subscriber: refTo('Service', last) } };
  return manifests(declare('Choice', ONE_AT_A_TIME, spec));
}

const isOpen = ({ life }: Bench) => life.inlets.values().some(({ topic }) => topic === FLOW);

/** By which ways each event of the Choice went. */
function waysOf({ store }: Bench): Map<unknown, string[]> {
  const entries = store.history.entries({ limit: 10_000, topic: FLOW }).toReversed();
  return new Map(
    entries.map(({ event, position }) => {
      const routes = new Set(store.history.attempts(position).map((it) => it.route.slice(FLOW.length + 1)));
      return [JSON.parse(Buffer.from(event.data!).toString()), [...routes]];
    }),
  );
}

async function answerAll(bench: Bench): Promise<void> {
  for (let call = bench.calls.shift(); call !== undefined; call = bench.calls.shift()) {
    if (call.aborted === undefined) call.reply('done');
    await bench.time.still();
  }
}

async function untilStill(bench: Bench): Promise<void> {
  for (let rounds = 0; rounds < 20; rounds += 1) {
    await answerAll(bench);
    await bench.time.pass(1_000);
  }
}

describe('a Choice whose filters are edited', () => {
  const before = planOf([['a', ['1']]], 'b');
  const after = planOf([['a', ['2']]], 'b');

  test('decides what waits in it as it was when that came', async () => {
    const bench = await startBench('');
    await bench.apply(before);
    // The first of each way is under way, what comes after it waits; `b` is far ahead of `a` then.
    for (const subject of ['1', '1', '2', '1', '2']) await bench.enter(bench.in(FLOW).length, '/flows/', { subject });
    const [ofA, ofB] = [bench.calls.find((it) => it.name === 'a')!, bench.calls.find((it) => it.name === 'b')!];
    bench.time.environment.after(1_000, () => ofA.reply('done'));
    bench.time.environment.after(1_000, () => ofB.reply('done'));
    bench.calls.length = 0;
    await bench.apply(after);
    for (const subject of ['1', '2']) await bench.enter(bench.in(FLOW).length, '/flows/', { subject });
    await untilStill(bench);
    assert.deepEqual([...waysOf(bench).values()], [['a'], ['a'], ['b'], ['a'], ['b'], ['b'], ['a']]);
  });

  test('keeps what decided while something waits that came before, and forgets it then', async () => {
    const kept = (bench: Bench) => JSON.parse(bench.store.progress.definitions().get(`decides/${FLOW}`)!).length;
    const bench = await startBench('');
    await bench.apply(before);
    await bench.enter(0, '/flows/', { subject: '1' });
    await bench.enter(1, '/flows/', { subject: '1' });
    await bench.crash(after);
    assert.equal(kept(bench), 2);
    await untilStill(bench);
    await bench.crash(before);
    assert.equal(kept(bench), 1);
    await bench.apply(manifests(''));
    await untilStill(bench);
    assert.deepEqual([...bench.store.progress.definitions().keys()], []);
  });

  test('lets each event go exactly one way, whatever is edited, removed, put back and crashes', async (context) => {
    const ways: fc.Arbitrary<Ways> = fc
      .shuffledSubarray([...NAMES], { minLength: 1 })
      .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.subarray(IDS)))));
    const edited = fc.record({
      kind: fc.constant('edit' as const),
      ways: fc.option(ways, { nil: undefined, freq: 4 }),
      // What comes while it is under way, one each few milliseconds.
      meanwhile: fc.array(fc.constantFrom(...IDS), { maxLength: 6 }),
      // After so many milliseconds the process crashes.
      crash: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined, freq: 2 }),
    });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('enter' as const), subject: fc.constantFrom(...IDS) }) },
      { weight: 3, arbitrary: edited },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), ways }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('answer' as const) }) },
    );
    const scenarios = fc.array(step, { maxLength: 30 });
    const seed = (saidSeed() ?? Date.now() % 2 ** 31) | 0;
    context.diagnostic(`MILLRACE_SEED=${seed}`);
    await fc.assert(
      fc.asyncProperty(scenarios, fc.integer({ min: 0, max: 3 }), async (steps, latency) => {
        const bench = await startBench('', { latency });
        let sent = 0;
        // What is under way ends when time passes: an edit waits for it, and what is entered meanwhile waits, too.
        const answer = () => {
          for (const call of bench.calls.splice(0)) call.reply('done');
          bench.time.environment.after(50, answer);
        };
        answer();
        await bench.apply(planOf([['a', ['1']]], 'b'));
        for (const it of steps) {
          if (it.kind === 'enter' && isOpen(bench)) {
            await bench.enter((sent += 1), '/flows/', { subject: it.subject });
          } else if (it.kind === 'edit') {
            const last = NAMES.find((name) => !it.ways?.some(([taken]) => taken === name)) ?? 'a';
            const plan = planOf(it.ways, last);
            for (const [index, subject] of it.meanwhile.entries()) {
              bench.time.environment.after(3 * index, () => {
                if (isOpen(bench)) void bench.life.gate.enter(FLOW, [{ event: eventOf((sent += 1), { subject }) }]);
              });
            }
            if (it.crash === undefined) await bench.apply(plan);
            else {
              void bench.life.apply(plan);
              await bench.time.pass(it.crash);
              await bench.crash(it.ways === undefined ? undefined : plan);
            }
          } else if (it.kind === 'crash') {
            await bench.crash(planOf(it.ways, 'c'));
          } else if (it.kind === 'answer') {
            await bench.time.pass(100);
          }
        }
        await bench.apply(planOf([['a', ['1']]], 'b'));
        await untilStill(bench);
        const gone = waysOf(bench);
        // What was not written before a crash was not accepted.
        assert.ok(gone.size <= sent);
        for (const [data, went] of gone)
          assert.equal(went.length, 1, `event ${String(data)} went ${went.join(' and ') || 'nowhere'}`);
      }),
      { seed, numRuns: 60 },
    );
  });
});
