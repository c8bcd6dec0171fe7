import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { formatFault } from '@millrace/resources/fault';
import { readManifest } from '@millrace/resources/manifest';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { AT_ONCE, declare, functionsOf, refTo, service } from '../support/flows.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Respond } from '../support/subscriber.ts';

// What is wrong with a flow or with an event in it: each is told by its own reason, and stops nothing else.

const delivery = { retry: 1, ...AT_ONCE };

describe('in a flow', () => {
  test('a circle is stopped by the limit of hops, and the dead letter tells the way round', async () => {
    await using bus = await startBus({ functions: functionsOf({ echo: (data) => data }) });
    await bus.apply(
      service('echo') +
        declare('Sequence', 'there', { steps: [refTo('Service', 'echo')], reply: refTo('Sequence', 'back') }) +
        declare('Sequence', 'back', { steps: [refTo('Service', 'echo')], reply: refTo('Sequence', 'there') }),
    );
    await post(`${bus.url}/flows/sequence/default/there`, { data: '1' });
    const [letter] = await bus.deadLetters(1);
    await bus.settled();
    assert.equal(letter!.entry.hops, 255);
    assert.equal(letter!.attempts, 1);
    const { message } = letter!.failure;
    for (const name of ['there', 'back']) {
      assert.match(message, new RegExp(`sequence/default/${name}/echo → results/sequence/default/${name}`));
    }
    assert.equal((await bus.deadLetters(0)).length, 1);
  });

  const answers: Record<string, [Respond, RegExp]> = {
    'a reply that is no event': [{ status: 200, body: 'ok' }, /answered 200 with a body that is no CloudEvent/],
    'a malformed event as a reply': [
      { status: 200, headers: { 'ce-specversion': '1.0', 'ce-id': '1' } },
      /answered 200 with a malformed event: .*source/,
    ],
    'a batch as a reply': [
      { status: 200, headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[]' },
      /answered 200/,
    ],
    'a refusal': [{ status: 422, body: 'not this one' }, /answered 422/],
  };
  for (const [what, [answer, reason]] of Object.entries(answers)) {
    test(`${what} is a failure of the step`, async () => {
      await using step = await startSubscriber(() => answer);
      await using bus = await startBus();
      await bus.apply(declare('Sequence', 'one', { steps: [{ uri: step.url, delivery }] }));
      await post(`${bus.url}/flows/sequence/default/one`, { data: '1' });
      const [letter] = await bus.deadLetters(1);
      assert.match(letter!.route, /^sequence\/default\/one\//);
      assert.match(letter!.failure.message, reason);
      assert.equal(letter!.attempts, answer.status === 422 ? 1 : 2);
    });
  }

  test('a reply that is too large is a failure of the step, and says by how much', async () => {
    await using bus = await startBus({
      functions: functionsOf({ big: () => 'x'.repeat(2_000) }),
      maxEventBytes: 1_000,
    });
    await bus.apply(service('big') + declare('Sequence', 'one', { steps: [refTo('Service', 'big')] }));
    await post(`${bus.url}/flows/sequence/default/one`, { data: '1' });
    const [letter] = await bus.deadLetters(1);
    assert.match(letter!.failure.message, /the reply was not taken: .*is 2002 bytes long; at most 1000 are taken/);
  });

  test('an expression that does not end is ended, and the events after it are transformed', async () => {
    await using taker = await startSubscriber();
    await using bus = await startBus();
    const expression = `data = 0 ? ($f := function($n) { $f($n + 1) }; $f(0)) : $`;
    await bus.apply(
      declare('EventTransform', 'loops', { jsonata: { expression } }) +
        declare('Sequence', 'one', { steps: [refTo('EventTransform', 'loops'), { uri: taker.url }] }),
    );
    await post(`${bus.url}/flows/sequence/default/one`, { id: 'bad', data: '0' });
    await post(`${bus.url}/flows/sequence/default/one`, { id: 'good', data: '1' });
    const [got] = await taker.count(1);
    assert.equal(got!.event!.id, 'good');
    const [letter] = await bus.deadLetters(1);
    assert.equal(letter!.entry.event.id, 'bad');
    assert.match(letter!.failure.message, /the transformation failed: .*(?:5 ?000|5,000|5 s|time)/);
  });

  test('a join that cannot be completed says which branch it lacks', async () => {
    const functions = functionsOf({ good: () => 1, silent: () => undefined });
    await using bad = await startSubscriber(() => ({ status: 400, body: 'never' }));
    await using bus = await startBus({ functions });
    const annotations = { 'millrace.dev/join': '2', 'millrace.dev/join-failures': 'fail' };
    const branches = [refTo('Service', 'good'), refTo('Service', 'silent'), { uri: bad.url }];
    await bus.apply(
      service('good') +
        service('silent') +
        declare('Parallel', { name: 'two', annotations }, { branches: branches.map((subscriber) => ({ subscriber })) }),
    );
    await post(`${bus.url}/flows/parallel/default/two`, { data: '1' });
    await bus.settled();
    const letter = (await bus.deadLetters(0)).find((it) => it.route === 'parallel/default/two');
    assert.equal(letter?.failure.status, 424);
    assert.match(letter.failure.message, /the join cannot be completed: .*answered 400/);
  });

  test('a list of a million items is too large to be taken: 413', async () => {
    await using bus = await startBus({ functions: functionsOf({ echo: (data) => data }) });
    await bus.apply(service('echo') + declare('Map', 'many', { subscriber: refTo('Service', 'echo') }));
    const data = JSON.stringify(Array.from({ length: 1_000_000 }, () => 0));
    assert.equal((await post(`${bus.url}/flows/map/default/many`, { data })).status, 413);
    assert.equal(bus.entries().length, 0);
  });
});

describe('of a flow', () => {
  const faults: Record<string, [string, RegExp]> = {
    'a filter that cannot be compiled': [
      declare('Parallel', 'p', {
        branches: [{ filters: [{ cesql: "type = 'a" }], subscriber: { uri: 'http://127.0.0.1:1/' } }],
      }),
      /spec\.branches\[0\]\.filters\[0\]\.cesql/,
    ],
    'a choice whose filter cannot be compiled': [
      declare('Choice', 'c', {
        choices: [{ filters: [{ cesql: 'AND' }], subscriber: { uri: 'http://127.0.0.1:1/' } }],
      }),
      /spec\.choices\[0\]\.filters\[0\]\.cesql/,
    ],
    'an expression that cannot be parsed': [
      declare('EventTransform', 't', { jsonata: { expression: '{ "a": ' } }),
      /spec\.jsonata\.expression/,
    ],
    'a join of more branches than there are': [
      declare(
        'Parallel',
        { name: 'p', annotations: { 'millrace.dev/join': '3' } },
        { branches: [{ subscriber: { uri: 'http://127.0.0.1:1/' } }] },
      ),
      /millrace\.dev\/join.*from 1 to 1/,
    ],
    'a Sequence without steps': [declare('Sequence', 's', { steps: [] }), /spec\.steps/],
    'a path that is none': [
      declare('Map', 'm', { itemsPath: 'lines', subscriber: { uri: 'http://127.0.0.1:1/' } }),
      /spec\.itemsPath/,
    ],
  };
  for (const [what, [manifest, fault]] of Object.entries(faults)) {
    test(`${what} is refused with its place`, async () => {
      await using bus = await startBus();
      await assert.rejects(bus.apply(manifest), fault);
    });
  }

  test('a join without a deadline has one, and a receipt says so', () => {
    const named = { name: 'p', annotations: { 'millrace.dev/join': 'all' } };
    const manifest = declare('Parallel', named, { branches: [{ subscriber: { uri: 'http://127.0.0.1:1/' } }] });
    const { receipts, faults: held } = readManifest(manifest, 'flow.yaml');
    assert.deepEqual(held.map(formatFault), []);
    assert.ok(receipts.some((it) => it.message.includes('no millrace.dev/join-deadline: PT10M is taken')));
  });

  test('an unknown kind of reference is not ready, and says what it may be', async () => {
    await using bus = await startBus();
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' };
    await bus.apply(declare('Sequence', 's', { steps: [{ ref }] }));
    const [ready] = bus.bus.control.plan.statuses.get('Sequence/default/s')!.conditions;
    assert.equal(ready!.reason, 'NotSupported');
    assert.match(ready!.message!, /^spec\.steps\[0\]: events cannot go to a ConfigMap/);
  });
});
