import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { manifests, startBench } from './bench.ts';
import { declare, refTo } from '../support/flows.ts';

function joined(annotations: Record<string, string>): string {
  const named = { name: 'p', annotations };
  return declare('Parallel', named, { branches: ['a', 'b', 'c'].map((it) => ({ subscriber: refTo('Service', it) })) });
}

const RESULTS = 'results/parallel/default/p';

describe('a join', () => {
  test('counts its deadline from the arrival of the event, also when the process ends meanwhile', async () => {
    const bench = await startBench(joined({ 'millrace.dev/join': 'all', 'millrace.dev/join-deadline': 'PT10S' }));
    const { time } = bench;
    await bench.enter(1);
    bench.calls.find((it) => it.name === 'a')!.reply('from a');
    await time.pass(6_000);
    await bench.crash();
    await time.pass(3_900);
    assert.deepEqual(bench.in(RESULTS), []);
    await time.pass(200);
    const reason = 'no answer by the deadline of the join';
    assert.deepEqual(bench.in(RESULTS), [
      [
        { branch: 'a', outcome: 'succeeded', data: 'from a' },
        { branch: 'b', outcome: 'late', reason },
        { branch: 'c', outcome: 'late', reason },
      ],
    ]);
  });

  test('for the first calls the others off, whose handlers hear of it', async () => {
    const bench = await startBench(joined({ 'millrace.dev/join': 'first' }));
    await bench.enter(1);
    const [a, b, c] = bench.calls;
    b!.reply('from b');
    await bench.time.still();
    assert.deepEqual(
      (bench.in(RESULTS)[0] as { outcome: string }[]).map((it) => it.outcome),
      ['cancelled', 'succeeded', 'cancelled'],
    );
    assert.deepEqual([a!.aborted?.name, b!.aborted, c!.aborted?.name], ['Cancelled', undefined, 'Cancelled']);
  });

  test('for the first takes a late reply as no second outcome; it stands with the replies', async () => {
    const bench = await startBench(joined({ 'millrace.dev/join': 'first' }));
    await bench.enter(1);
    const [a, b] = bench.calls;
    // Both have answered when the join looks: the one that it did not want is not undone.
    b!.reply('from b');
    a!.reply('from a');
    await bench.time.pass(60_000);
    assert.equal(bench.in(RESULTS).length, 1);
    assert.deepEqual(new Set(bench.in('replies/parallel/default/p')), new Set(['from a', 'from b']));
  });

  test('that its failures fail is a dead letter which names them', async () => {
    const annotations = { 'millrace.dev/join': 'all', 'millrace.dev/join-failures': 'fail' };
    const bench = await startBench(joined(annotations));
    await bench.enter(1);
    bench.calls[1]!.refuse();
    await bench.time.still();
    const letters = bench.store.deadLetters.list({ limit: 10, route: 'parallel/default/p' });
    assert.deepEqual(
      letters.map(({ failure }) => [failure.status, failure.message]),
      [[424, 'the join cannot be completed: b: parallel/default/p/b: no']],
    );
    assert.deepEqual(bench.in(RESULTS), []);
  });

  test('does not take a dead letter for an answer, where the dead letter sink is a channel', async () => {
    const branch = {
      subscriber: refTo('Service', 'a'),
      delivery: { deadLetterSink: refTo('InMemoryChannel', 'dead') },
    };
    const named = { name: 'p', annotations: { 'millrace.dev/join': 'all' } };
    const bench = await startBench(
      declare('InMemoryChannel', 'dead') + declare('Parallel', named, { branches: [branch] }),
    );
    await bench.enter(1);
    bench.calls[0]!.refuse();
    await bench.time.pass(1);
    assert.deepEqual(bench.in('channel/default/dead'), [1]);
    assert.deepEqual(bench.in(RESULTS), [[{ branch: 'a', outcome: 'failed', reason: 'parallel/default/p/a: no' }]]);
  });

  test('follows a branch through a flow that is declared after it, when the process begins anew half way', async () => {
    const named = { name: 'p', annotations: { 'millrace.dev/join': 'all' } };
    const bench = await startBench(
      declare('Parallel', named, { branches: [{ subscriber: refTo('Sequence', 's') }] }) +
        declare('Sequence', 's', { steps: [refTo('Service', 'a'), refTo('Service', 'b')] }),
    );
    await bench.enter(1);
    bench.calls[0]!.reply('half');
    await bench.time.still();
    await bench.crash();
    assert.deepEqual(bench.in(RESULTS), []);
    bench.calls[0]!.reply('whole');
    await bench.time.still();
    assert.deepEqual(bench.in(RESULTS), [[{ branch: 's', outcome: 'succeeded', data: 'whole' }]]);
  });
});

function mapOf(spec: Record<string, unknown> = {}): string {
  return declare('Map', 'm', { subscriber: refTo('Service', 'a'), deadline: 'PT1H', ...spec });
}

const MAPPED = 'results/map/default/m';
const ITEMS = 'items/map/default/m';
const list = (length: number) => Array.from({ length }, (_, index) => index);

describe('a Map', () => {
  test('never has more items under way than it may, and tells what came of them in their order', async () => {
    const bench = await startBench(mapOf({ maxConcurrency: 3 }));
    await bench.enter(list(10));
    for (let done = 0; done < 10; done += 1) {
      assert.equal(bench.calls.length, Math.min(3, 10 - done));
      // The newest first, so that they end in another order.
      const call = bench.calls.pop()!;
      call.reply(`did ${String(call.data)}`);
      await bench.time.still();
    }
    const rows = list(10).map((item) => ({ item, outcome: 'succeeded', data: `did ${item}` }));
    assert.deepEqual(bench.in(MAPPED), [rows]);
  });

  test('tells of as many failed items as it tolerates', async () => {
    const bench = await startBench(mapOf({ toleratedFailures: 1 }));
    await bench.enter(list(2));
    const [first, second] = bench.calls;
    first!.refuse();
    second!.reply('well');
    await bench.time.still();
    assert.deepEqual(bench.in(MAPPED), [
      [
        { item: 0, outcome: 'failed', reason: `${ITEMS}: no` },
        { item: 1, outcome: 'succeeded', data: 'well' },
      ],
    ]);
  });

  test('fails with one failed item more, calls off what is open and begins nothing else', async () => {
    const bench = await startBench(mapOf({ maxConcurrency: 2 }));
    await bench.enter(list(5));
    const [first, second] = bench.calls;
    first!.refuse();
    await bench.time.still();
    assert.equal(second!.aborted?.name, 'Cancelled');
    await bench.time.pass(60_000);
    assert.equal(bench.calls.length, 2);
    assert.equal(bench.in(ITEMS).length, 2);
    const [letter] = bench.store.deadLetters.list({ limit: 10, route: 'map/default/m' });
    assert.equal(letter?.failure.message, `1 of 5 items failed: item 0: ${ITEMS}: no`);
  });

  test('refuses 10,001 items with the reason in the dead letter, and makes none', async () => {
    const bench = await startBench(mapOf());
    await bench.enter(list(10_001));
    const [letter] = bench.store.deadLetters.list({ limit: 10 });
    assert.equal(letter?.failure.status, 422);
    assert.match(letter.failure.message, /has 10001 items; a Map takes at most 10000$/);
    assert.deepEqual(bench.in(ITEMS), []);
  });

  test('of an empty list has an empty result', async () => {
    const bench = await startBench(mapOf());
    await bench.enter([]);
    assert.deepEqual(bench.in(MAPPED), [[]]);
  });

  test('makes no item twice when the process ends in the midst of it', async () => {
    const bench = await startBench(mapOf({ maxConcurrency: 2 }));
    await bench.enter(list(6));
    for (let crashes = 0; crashes < 5; crashes += 1) {
      const call = bench.calls[0]!;
      call.reply(`did ${String(call.data)}`);
      await bench.time.still();
      await bench.crash();
      assert.ok(bench.calls.length <= 2);
    }
    bench.calls[0]!.reply('did 5');
    await bench.time.still();
    assert.deepEqual(bench.in(ITEMS), list(6));
    assert.deepEqual(bench.in(MAPPED), [list(6).map((item) => ({ item, outcome: 'succeeded', data: `did ${item}` }))]);
  });

  test('makes no item twice when it is declared anew while it makes some', async () => {
    const bench = await startBench(mapOf({ maxConcurrency: 2 }));
    // Nobody waits for what is being written.
    const entering = bench.enter(list(4));
    await bench.apply(manifests(mapOf({ maxConcurrency: 3 })));
    await entering;
    while (bench.calls.length > 0) {
      for (const call of bench.calls.splice(0)) call.reply(call.data);
      await bench.time.still();
    }
    assert.deepEqual(bench.in(ITEMS), list(4));
    assert.equal(bench.in(MAPPED).length, 1);
  });
});
