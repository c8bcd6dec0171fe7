import assert from 'node:assert/strict';
import { test } from 'node:test';

import { post } from '../../../test/support/events.ts';
import { startSubscriber } from '../../../test/support/subscriber.ts';
import { deadAddress, NO_TERMINAL, runInTerminal, runMillrace, startMillrace, trigger } from '../testing/millrace.ts';
import type { TestMillrace } from '../testing/millrace.ts';

/** Two routes that refuse everything, and so many events: twice as many dead letters. */
async function startWithDead(events: number): Promise<TestMillrace> {
  const subscriber = await startSubscriber(() => ({ status: 422, body: 'not \u001b[5mtoday' }));
  const millrace = await startMillrace();
  await millrace.bus.apply(trigger('urgent', subscriber.url) + trigger('audit', subscriber.url));
  for (let count = 1; count <= events; count += 1) {
    await post(`${millrace.bus.url}/default/default`, { id: `e${count}`, type: 'asked', source: '/shop', data: '{}' });
  }
  await millrace.bus.deadLetters(2 * events);
  return {
    ...millrace,
    async [Symbol.asyncDispose]() {
      await millrace[Symbol.asyncDispose]();
      await subscriber[Symbol.asyncDispose]();
    },
  };
}

const dead = (millrace: TestMillrace) =>
  millrace.bus.bus.store.deadLetters
    .list({ limit: 100 })
    .map(({ position, route }) => `${position} ${route}`)
    .toSorted();

test('dlq list shows why each died, or those of one route by its short name', async () => {
  await using millrace = await startWithDead(1);
  const all = await millrace.run(['dlq', 'list']);
  assert.equal(all.code, 0);
  assert.match(all.stdout, /^POSITION {3}ROUTE +TYPE +ATTEMPTS {3}STATUS {3}AGE {3}REASON\n/);
  assert.match(all.stdout, /^1 +trigger\/default\/urgent {3}asked {3}1 +422 +\d+s +answered 422$/m);
  const one = await millrace.run(['dlq', 'list', '--route', 'default/audit', '-o', 'json']);
  const letters = JSON.parse(one.stdout) as { route: string }[];
  assert.deepEqual(
    letters.map((it) => it.route),
    ['trigger/default/audit'],
  );
  const names = await millrace.run(['dlq', 'list', '-o', 'name']);
  assert.equal(names.stdout, '1\n');
});

test('dlq list says beside the data that there are none', async () => {
  await using millrace = await startMillrace();
  const { code, stdout, stderr } = await millrace.run(['dlq', 'list']);
  assert.deepEqual([code, stdout, stderr], [0, '', 'No dead letters found.\n']);
});

test('dlq show tells why, how often, what the subscriber said, and the two ways on', async () => {
  await using millrace = await startWithDead(1);
  const { code, stdout } = await millrace.run(['dlq', 'show', '1', '--route', 'urgent']);
  assert.equal(code, 0);
  assert.match(stdout, /^Died: .* ago\), after 1 attempt$/m);
  assert.match(stdout, /^Reason: +answered 422$/m);
  assert.match(stdout, /^Subscriber: +http:\/\/127\.0\.0\.1:\d+\/ answered 422\nAnswer:\n {2}not \\u001b\[5mtoday\n/m);
  assert.match(stdout, /^Deliver it again: {2}millrace dlq redrive 1 --route trigger\/default\/urgent$/m);
  assert.match(stdout, /^Forget it: +millrace dlq purge 1 --route trigger\/default\/urgent$/m);
});

test('dlq show asks for the route where an event is dead on several', async () => {
  await using millrace = await startWithDead(1);
  const { code, stdout, stderr } = await millrace.run(['dlq', 'show', '1']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /dead on several routes: add --route, one of trigger\/default\/\w+, trigger\/default\/\w+\n$/);
});

test('dlq redrive delivers again what is named, and only that', async () => {
  await using accepting = await startSubscriber(() => ({ status: 422 }));
  await using millrace = await startMillrace();
  await millrace.bus.apply(trigger('urgent', accepting.url));
  for (const id of ['one', 'two']) await post(`${millrace.bus.url}/default/default`, { id });
  await millrace.bus.deadLetters(2);
  accepting.answer(() => ({}));
  const { code, stdout } = await millrace.run(['dlq', 'redrive', '2']);
  assert.deepEqual([code, stdout], [0, '2 redriven\n']);
  const received = await accepting.count(3);
  assert.equal(received[2]!.event!.id, 'two');
  assert.deepEqual(dead(millrace), ['1 trigger/default/urgent']);
});

test('dlq purge forgets those of an event, of a route, or all', async () => {
  await using millrace = await startWithDead(3);
  const byPosition = await millrace.run(['dlq', 'purge', '1', '3', '--route', 'urgent']);
  assert.deepEqual([byPosition.code, byPosition.stdout], [0, '1 purged\n3 purged\n']);
  const everywhere = await millrace.run(['dlq', 'purge', '2']);
  assert.deepEqual([everywhere.code, everywhere.stdout], [0, '2 purged on 2 routes\n']);
  assert.deepEqual(dead(millrace), ['1 trigger/default/audit', '3 trigger/default/audit']);
  const urgent = await millrace.run(['dlq', 'purge', '--route', 'urgent']);
  assert.deepEqual([urgent.code, urgent.stdout], [0, '0 dead letters purged\n']);
  const all = await millrace.run(['dlq', 'purge', '--all', '--yes']);
  assert.deepEqual([all.code, all.stdout], [0, '2 dead letters purged\n']);
  assert.deepEqual(dead(millrace), []);
});

test('dlq redrive and purge of what is not there do the rest, and say what was missing', async () => {
  await using millrace = await startWithDead(1);
  const { code, stdout, stderr } = await millrace.run(['dlq', 'purge', '7', '1', '--route', 'urgent']);
  assert.deepEqual([code, stdout], [3, '1 purged\n']);
  assert.equal(stderr, 'millrace: there is no dead letter 7 of trigger/default/urgent; see millrace dlq list\n');
});

test('dlq refuses to touch all where nobody can be asked', async () => {
  await using millrace = await startWithDead(1);
  for (const verb of ['redrive', 'purge']) {
    const { code, stdout, stderr } = await millrace.run(['dlq', verb, '--all'], 'y\n');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /all dead letters of all routes \(2\)\. Nobody can be asked here: add --yes/);
  }
  assert.equal(dead(millrace).length, 2);
});

test('dlq refuses when it is not said which, or said twice, or wrongly', async () => {
  await using millrace = await startMillrace();
  for (const args of [[], ['--all', '1'], ['--all', '--route', 'a/b/c'], ['0'], ['x']]) {
    const { code, stdout } = await millrace.run(['dlq', 'purge', ...args, '--yes']);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
  }
});

test('a short name of a route that may be several is refused with all of them', async () => {
  await using subscriber = await startSubscriber();
  await using millrace = await startMillrace();
  const elsewhere = trigger('urgent', subscriber.url).replace('name: urgent', 'name: urgent, namespace: other');
  await millrace.bus.apply(trigger('urgent', subscriber.url) + elsewhere);
  const { code, stderr } = await millrace.run(['dlq', 'list', '--route', 'urgent']);
  assert.equal(code, 2);
  assert.match(stderr, /may be any of trigger\/default\/urgent, trigger\/other\/urgent: say which/);
});

test('dlq says so when nobody is there', async () => {
  const { code, stderr } = await runMillrace(['dlq', 'purge', '--all', '--yes', '--admin', await deadAddress()]);
  assert.equal(code, 5);
  assert.match(stderr, /^millrace: no millrace answers at/);
});

test('on a terminal, dlq asks before it touches all, and takes no for an answer', { skip: NO_TERMINAL }, async () => {
  await using millrace = await startWithDead(1);
  for (const [answer, code, left] of [
    ['n', 1, 2],
    ['', 1, 2],
    ['y', 0, 0],
  ] as const) {
    const ended = await runInTerminal(['dlq', 'purge', '--all'], { MILLRACE_ADMIN: millrace.admin }, answer);
    assert.equal(ended.code, code, ended.shown);
    assert.match(ended.shown, /This would purge all dead letters of all routes \(2\)\. \[y\/N\]/);
    assert.equal(dead(millrace).length, left);
  }
});
