import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { manifests, startBench } from './bench.ts';
import type { Bench } from './bench.ts';
import { declare, refTo } from '../support/flows.ts';

const sequence = (...steps: string[]) => declare('Sequence', 's', { steps: steps.map((it) => refTo('Service', it)) });
const RESULTS = 'results/sequence/default/s';

const retiring = ({ life }: Bench) => [...life.retiring.routes].map((it) => it.name);
const definitions = ({ store }: Bench) => [...store.progress.definitions().keys()].toSorted();

async function answer(bench: Bench, name: string): Promise<void> {
  const [call] = bench.calls.splice(0, 1);
  assert.equal(call?.name, name);
  call.reply(name);
  await bench.time.still();
}

describe('a step that is taken out', () => {
  test('goes on with what waits for it, as it was last defined, and is then forgotten', async () => {
    const bench = await startBench(sequence('a', 'b', 'c'));
    await bench.enter(1);
    await answer(bench, 'a');
    await bench.apply(manifests(sequence('a', 'c')));
    assert.deepEqual(retiring(bench), ['sequence/default/s/b']);
    await bench.time.pass(5_000);
    assert.deepEqual(retiring(bench), ['sequence/default/s/b'], 'it has still to do');
    await answer(bench, 'b');
    await answer(bench, 'c');
    assert.deepEqual(bench.in(RESULTS), ['c']);
    await bench.time.pass(5_000);
    assert.deepEqual(retiring(bench), []);
    assert.deepEqual(definitions(bench), ['sequence/default/s/a', 'sequence/default/s/c']);
  });

  test('is there for a reply that the step before it had under way when it was taken out', async () => {
    const bench = await startBench(sequence('a', 'b'));
    await bench.enter(1);
    const [call] = bench.calls.splice(0, 1);
    // It takes long to take out what has something under way.
    bench.time.environment.after(60_000, () => call!.reply('a'));
    await bench.apply(manifests(sequence('a')));
    await answer(bench, 'b');
    assert.deepEqual(bench.in(RESULTS), ['b']);
  });

  test('is taken up by the next process, also when it was taken out while none ran', async () => {
    const bench = await startBench(sequence('a', 'b'));
    await bench.enter(1);
    await answer(bench, 'a');
    bench.calls.length = 0;
    await bench.crash(manifests(''));
    assert.deepEqual(retiring(bench).toSorted(), ['sequence/default/s/a', 'sequence/default/s/b']);
    await bench.crash();
    await answer(bench, 'b');
    assert.deepEqual(bench.in(RESULTS), ['b']);
    await bench.time.pass(5_000);
    assert.deepEqual(definitions(bench), []);
  });

  test('that is put back before it is through goes on as it is defined now', async () => {
    const bench = await startBench(sequence('a', 'b', 'c'));
    await bench.enter(1);
    await answer(bench, 'a');
    bench.time.environment.after(60_000, () => bench.calls.shift()!.reply('b'));
    await bench.apply(manifests(sequence('a')));
    await bench.apply(manifests(sequence('a', 'b')));
    assert.deepEqual(retiring(bench), ['sequence/default/s/c']);
    await answer(bench, 'c');
    await bench.time.pass(5_000);
    assert.deepEqual(definitions(bench), ['sequence/default/s/a', 'sequence/default/s/b']);
    assert.deepEqual(bench.in(RESULTS), ['c']);
  });

  test('is forgotten with others that lead in a circle, when none of them has anything left', async () => {
    const named = (name: string, reply: string) =>
      declare('Sequence', name, { steps: [refTo('Service', 'a')], reply: refTo('Sequence', reply) });
    const bench = await startBench(named('s', 't') + named('t', 's'));
    await bench.apply(manifests(''));
    await bench.time.pass(5_000);
    assert.deepEqual(retiring(bench), []);
    assert.deepEqual(definitions(bench), []);
  });

  test('whose function is not declared gives up what waits for it, visibly', async () => {
    const missing = declare('Sequence', 's', { steps: [refTo('Service', 'a'), refTo('Service', 'not-there')] });
    const bench = await startBench(missing);
    await bench.enter(1);
    await answer(bench, 'a');
    await bench.apply(manifests(''));
    const [letter] = bench.store.deadLetters.list({ limit: 10 });
    assert.equal(letter?.route, 'sequence/default/s/not-there');
    assert.equal(letter.failure.status, 410);
    assert.match(
      letter.failure.message,
      /not-there is not declared, and Sequence\/default\/s does not ask for it any more/,
    );
  });
});
