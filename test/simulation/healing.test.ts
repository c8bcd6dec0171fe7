import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { declare, refTo } from '../support/flows.ts';
import { manifests, startBench } from './bench.ts';

const FLOW = declare('Sequence', 's', { steps: [refTo('Service', 'a')] });

describe('what waits for a flow that is not declared yet', () => {
  test('reaches it when it is, although the Trigger before it begins first', async () => {
    const trigger = (subscriber: object) =>
      `---\n${JSON.stringify({
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata: { name: 't', namespace: 'default' },
        spec: { broker: 'default', subscriber },
      })}\n`;
    const bench = await startBench(trigger(refTo('Service', 'b')), { latency: 1 });
    await bench.apply(manifests(trigger(refTo('Sequence', 's'))));
    await bench.enter(1, '/default/default');
    await bench.enter(2, '/default/default');
    const other = declare('Sequence', 'other', { steps: ['a', 'b', 'c'].map((it) => refTo('Service', it)) });
    await bench.apply(manifests(trigger(refTo('Sequence', 's')) + other + FLOW));
    await bench.time.pass(100);
    assert.deepEqual(
      bench.calls.map((it) => it.data),
      [1, 2],
    );
  });

  for (const kind of ['Subscription', 'Parallel']) {
    test(`reaches it when it is the reply of a ${kind}`, async () => {
      const part = { subscriber: refTo('Service', 'b'), reply: refTo('Sequence', 's') };
      const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'c' };
      const before =
        kind === 'Parallel'
          ? declare('Parallel', 'p', { branches: [part] })
          : declare('InMemoryChannel', 'c') + declare('Subscription', 'sub', { channel, ...part });
      const bench = await startBench(before);
      await bench.enter(1, kind === 'Parallel' ? '/flows/' : '/channels/');
      bench.calls.shift()!.reply('of b');
      await bench.time.still();
      await bench.apply(manifests(before + FLOW));
      await bench.time.still();
      assert.deepEqual(
        bench.calls.map((it) => [it.name, it.data]),
        [['a', 'of b']],
      );
      assert.deepEqual(bench.store.deadLetters.list({ limit: 10 }), []);
    });
  }
});

test('a dead letter whose sink is taken out while it waits for that rests with why the subscriber failed', async () => {
  const step = (more: object) => {
    const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT10S', ...more };
    return declare('Sequence', 's', { steps: [{ ...refTo('Service', 'a'), delivery }] });
  };
  const bench = await startBench(step({ deadLetterSink: refTo('Service', 'b') }));
  await bench.enter(1);
  bench.calls.shift()!.refuse();
  await bench.time.pass(1);
  assert.equal(bench.calls[0]!.name, 'b');
  bench.calls.shift()!.break();
  await bench.time.still();
  await bench.apply(manifests(step({})));
  await bench.time.pass(20_000);
  assert.deepEqual(bench.calls, [], 'the subscriber has had its attempts');
  const [letter] = bench.store.deadLetters.list({ limit: 10 });
  assert.equal(letter?.failure.message, 'no');
});
