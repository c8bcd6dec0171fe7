import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BackTest } from '@millrace/bus/admin/back-test';
import type { Move } from '@millrace/bus/admin/seek';
import type { WhyView } from '@millrace/bus/admin/why';

import { post } from '../../../../test/support/events.ts';
import { trigger } from '../../../../test/support/manifests.ts';
import { runMillrace, startMillrace, testFolder } from '../../../../test/support/process.ts';
import type { Millrace } from '../../../../test/support/process.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';

const run = (millrace: Millrace, ...args: string[]) =>
  runMillrace(args, { environment: { MILLRACE_ADMIN: millrace.admin } });

const SEEK = ['trigger', 'seek', 'orders', '--to'];

test('an event is explained, a filter tried, and the Trigger put back, so that it gets what it had missed', async () => {
  using folder = testFolder();
  await using subscriber = await startSubscriber();
  const exact = (type: string) => trigger('orders', subscriber.url, { filters: [{ exact: { type } }] });
  const manifest = folder.write('orders.yaml', exact('order'));
  await using millrace = await startMillrace({ data: folder.at('data'), manifests: [manifest] });
  await post(millrace.broker, { id: 'e1', type: 'order' });
  await post(millrace.broker, { id: 'e2', type: 'refund' });
  await post(millrace.broker, { id: 'e3', type: 'order' });
  await subscriber.count(2);
  await millrace.settled();

  const why = await run(millrace, 'why', 'e2', 'orders');
  assert.equal(why.code, 0, why.stderr);
  assert.match(
    why.stdout,
    /^trigger\/default\/orders: not matched\n {2}✗ exact: type is "refund", wanted "order"\n {2}To match: /m,
  );
  const told = JSON.parse((await run(millrace, 'why', '1', '-o', 'json')).stdout) as WhyView;
  assert.deepEqual(
    told.routes.map((it) => [it.route, it.state]),
    [['trigger/default/orders', 'delivered']],
  );
  assert.equal((await run(millrace, 'why', 'nothing')).code, 3);
  assert.equal((await run(millrace, 'why', 'e2', 'nobody')).code, 3);

  const changed = folder.write('changed/orders.yaml', exact('refund'));
  const tested = await run(millrace, 'trigger', 'test', '-f', changed);
  assert.equal(tested.code, 0, tested.stderr);
  assert.match(tested.stdout, /^Trigger default\/orders: 1 of 3 events of broker\/default\/default would have matched/);
  assert.match(
    tested.stdout,
    /Against trigger\/default\/orders as it is in force, which matches 2: 1 gained, 2 lost\.$/m,
  );
  const json = await run(millrace, 'trigger', 'test', '-f', changed, '--limit', '1', '--since', '1h', '-o', 'json');
  const { events, isCut, difference } = JSON.parse(json.stdout) as BackTest;
  assert.deepEqual([events, isCut, difference!.lost], [1, true, 1]);
  const broken = folder.write('broken.yaml', exact('order').replace('exact', 'exactly'));
  const refused = await run(millrace, 'trigger', 'test', '-f', broken);
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /broken\.yaml:\d+:\d+ /);
  assert.equal((await run(millrace, 'trigger', 'test', '-f', changed, '--since', 'monday')).code, 2);

  const looked = await run(millrace, ...SEEK, 'beginning', '--dry-run');
  const between = 'Of the 3 events between, its filter wants 2, to be delivered again.';
  assert.equal(looked.stdout, `trigger/default/orders: back from after 3 to after 0. ${between}\n`);
  const unasked = await run(millrace, ...SEEK, 'beginning');
  assert.deepEqual([unasked.code, subscriber.received.length], [2, 2]);
  const moved = await run(millrace, ...SEEK, '2', '--yes', '-o', 'json');
  assert.equal(moved.code, 0, moved.stderr);
  assert.deepEqual([(JSON.parse(moved.stdout) as Move).to, (JSON.parse(moved.stdout) as Move).matched], [1, 1]);
  await subscriber.count(3);
  await millrace.settled();
  const there = await run(millrace, ...SEEK, 'end', '--yes');
  assert.match(there.stdout, /stands there already/);
  for (const [to, code] of [
    ['99', 1],
    ['nowhere', 2],
  ] as const)
    assert.equal((await run(millrace, ...SEEK, to)).code, code);
  assert.deepEqual(subscriber.received.map((it) => it.event!.id).toSorted(), ['e1', 'e3', 'e3']);
});

test('a Trigger that was put back stands there after kill -9, before anything was delivered again', async () => {
  using folder = testFolder();
  const all = Array.from({ length: 40 }, (_, index) => `e${index}`);
  let isHeld = false;
  await using subscriber = await startSubscriber(() => ({ hang: isHeld }));
  const manifests = [folder.write('a.yaml', trigger('orders', subscriber.url))];
  const data = folder.at('data');
  await using first = await startMillrace({ data, manifests });
  for (const id of all) await post(first.broker, { id });
  await subscriber.count(all.length);
  await first.settled();
  // From here on it is begun again, and nothing of it ends.
  isHeld = true;
  await first.ask('/api/triggers/seek', { route: 'trigger/default/orders', to: 'beginning' });
  await subscriber.count(all.length + 1);
  await first.kill();
  isHeld = false;
  const before = subscriber.received.length;
  await using second = await startMillrace({ data, manifests });
  await subscriber.count(before + all.length);
  await second.settled();
  const again = subscriber.received.slice(before).map((it) => it.event!.id);
  assert.deepEqual(again.toSorted(), all.toSorted());
});
