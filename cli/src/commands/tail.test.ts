import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { post } from '../../../test/support/events.ts';
import { startSubscriber } from '../../../test/support/subscriber.ts';
import { deadAddress, linesFrom, runMillrace, spawnMillrace, startMillrace, trigger } from '../testing/millrace.ts';
import type { RunningCommand, TestMillrace } from '../testing/millrace.ts';

/** A tail that is connected; whatever it is, it ends with the test. */
async function startTail(millrace: TestMillrace, args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawnMillrace(['tail', ...args], { MILLRACE_ADMIN: millrace.admin, ...environment });
  const stderr = linesFrom(child.stderr);
  const { value } = await stderr.next();
  assert.equal(value, `following ${millrace.admin} (Ctrl-C ends)`);
  return { child, stdout: linesFrom(child.stdout), stderr, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: RunningCommand): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('tail prints a line for each event and each attempt, and ends after as many as it is told', async () => {
  await using subscriber = await startSubscriber(() => ({ status: 422 }));
  await using millrace = await startMillrace();
  await millrace.bus.apply(trigger('urgent', subscriber.url));
  await using tail = await startTail(millrace, ['--limit', '2']);
  await post(`${millrace.bus.url}/default/default`, { id: 'i1', type: 'asked', source: '/shop' });
  const lines: string[] = [];
  for (let next = await tail.stdout.next(); next.done !== true; next = await tail.stdout.next()) lines.push(next.value);
  const [header, accepted, attempt] = lines;
  assert.equal(lines.length, 3);
  assert.match(header!, /^TIME +POSITION +OUTCOME +STATUS +LATENCY +TYPE +ROUTE +REASON$/);
  assert.match(accepted!, /^\d\d:\d\d:\d\d\.\d{3} +1 +accepted +asked +from \/shop, id i1$/);
  assert.match(
    attempt!,
    /^\d\d:\d\d:\d\d\.\d{3} +1 +parked +422 +\d+ms +asked +trigger\/default\/urgent +answered 422$/,
  );
  if (tail.child.exitCode === null) await once(tail.child, 'exit');
  assert.equal(tail.child.exitCode, 0);
});

test('tail gives programs a JSON object a line, of the route that they ask for by its short name', async () => {
  await using subscriber = await startSubscriber();
  await using millrace = await startMillrace();
  await millrace.bus.apply(trigger('urgent', subscriber.url) + trigger('other', subscriber.url));
  await using tail = await startTail(millrace, ['-o', 'json', '--route', 'urgent', '--type', 'wanted']);
  for (const type of ['unwanted', 'wanted']) await post(`${millrace.bus.url}/default/default`, { type });
  const { value } = await tail.stdout.next();
  const { kind, route, type, outcome, position } = JSON.parse(value as string) as Record<string, unknown>;
  assert.deepEqual(
    { kind, route, type, outcome, position },
    { kind: 'attempt', route: 'trigger/default/urgent', type: 'wanted', outcome: 'delivered', position: 2 },
  );
});

test('tail goes on with the process that comes after, and says so', async () => {
  await using millrace = await startMillrace();
  await using tail = await startTail(millrace, ['-o', 'json']);
  await millrace.closeAdmin();
  assert.equal((await tail.stderr.next()).value, `${millrace.admin} has gone away; waiting for it to come back`);
  await millrace.openAdmin();
  assert.equal((await tail.stderr.next()).value, `${millrace.admin} is back`);
  await post(`${millrace.bus.url}/default/default`, { id: 'later' });
  const line = JSON.parse((await tail.stdout.next()).value as string) as { event: { id: string } };
  assert.equal(line.event.id, 'later');
});

test('tail ends at once when it is interrupted, by that signal', async () => {
  await using millrace = await startMillrace();
  await using tail = await startTail(millrace, []);
  const exit = once(tail.child, 'exit');
  tail.child.kill('SIGINT');
  assert.deepEqual(await exit, [null, 'SIGINT']);
});

test('tail shows what a terminal would obey as an escape, in both formats', async () => {
  await using millrace = await startMillrace();
  await using table = await startTail(millrace, []);
  await using json = await startTail(millrace, ['-o', 'json']);
  await post(`${millrace.bus.url}/default/default`, {
    type: 'a%E2%80%AEb',
    data: 'x\u2028\u009b31m\u001b[2J',
    contentType: 'text/plain',
  });
  await table.stdout.next();
  assert.match((await table.stdout.next()).value as string, / a\\u202eb /);
  const line = (await json.stdout.next()).value as string;
  assert.match(line, /"data":"x\\u2028\\u009b31m\\u001b\[2J"/);
  assert.equal((JSON.parse(line) as { event: { type: string } }).event.type, 'a\u202eb');
});

test('tail has colours where they are forced, and none in a pipe', async () => {
  await using millrace = await startMillrace();
  await using coloured = await startTail(millrace, ['--limit', '1'], { FORCE_COLOR: '1' });
  await using plain = await startTail(millrace, ['--limit', '1']);
  await post(`${millrace.bus.url}/default/default`, {});
  await Promise.all([coloured.stdout.next(), plain.stdout.next()]);
  assert.ok(((await coloured.stdout.next()).value as string).includes('\u001b[36maccepted'));
  assert.ok(!((await plain.stdout.next()).value as string).includes('\u001b'));
});

test('tail says so when there is no process at first', async () => {
  const admin = await deadAddress();
  const { code, stderr } = await runMillrace(['tail', '--admin', admin]);
  assert.equal(code, 5);
  assert.match(stderr, /^millrace: no millrace answers at http:.*: start one with `npm start` or `millrace up`/);
});

test('tail refuses a route that nothing declares, and tells which there are', async () => {
  await using millrace = await startMillrace();
  const { code, stderr } = await millrace.run(['tail', '--route', 'nope']);
  assert.equal(code, 3);
  assert.equal(stderr, 'millrace: there is no route "nope"; there are none\n');
});
