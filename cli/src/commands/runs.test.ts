import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { flow, openFlowAdmin } from '@millrace/bus/admin/flows.fixture';
import type { FlowAdmin } from '@millrace/bus/admin/flows.fixture';
import type { RunSummary, RunView } from '@millrace/bus/admin/run-views';
import { parse } from 'yaml';

import { startBus } from '../../../test/support/bus.ts';
import type { TestBus } from '../../../test/support/bus.ts';
import { post } from '../../../test/support/events.ts';
import { startSubscriber } from '../../../test/support/subscriber.ts';
import type { Subscriber } from '../../../test/support/subscriber.ts';
import { runMillrace } from '../testing/millrace.ts';
import type { Ended } from '../testing/millrace.ts';

describe('millrace runs', () => {
  let bus: TestBus;
  let admin: FlowAdmin;
  let agent: Subscriber;

  before(async () => {
    agent = await startSubscriber(({ path, event }) =>
      path === '/refuse'
        ? { status: 422, body: 'no' }
        : {
            status: 200,
            headers: {
              'ce-specversion': '1.0',
              'ce-id': `${event!.id}+`,
              'ce-source': '/agent',
              'ce-type': path.slice(1),
              'ce-llmmodel': 'claude',
              'ce-llminputtokens': '1000',
              'ce-llmoutputtokens': '20',
              'ce-llmcostusd': '0.25',
            },
          },
    );
    bus = await startBus();
    await bus.apply(
      flow.sequence('research', { steps: ['found', 'summary'].map((path) => ({ uri: `${agent.url}${path}` })) }) +
        flow.trigger('refused', {
          filters: [{ exact: { type: 'refused' } }],
          subscriber: { uri: `${agent.url}refuse` },
        }),
    );
    admin = await openFlowAdmin(bus);
    const data = '{"order":12}';
    await post(`${bus.url}/flows/sequence/default/research`, { id: 'a/b?c', type: 'asked', source: '/shop', data });
    await bus.settled();
    await post(`${bus.url}/default/default`, { id: 'bad', type: 'refused' });
    await bus.deadLetters(1);
  });
  after(async () => {
    await admin[Symbol.asyncDispose]();
    await agent[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
  });

  const run = (...args: string[]): Promise<Ended> =>
    runMillrace(['runs', ...args], { environment: { MILLRACE_ADMIN: admin.url } });

  test('list shows the newest first, with how each is and what it took', async () => {
    const { code, stdout, stderr } = await run('list');
    assert.deepEqual([code, stderr], [0, '']);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    assert.match(header!, /^POSITION {3}FLOW +TYPE +STATUS +EVENTS +DELIVERIES +TOOK +TOKENS +COST +AGE$/);
    const cells = rows.map((row) => row.split(/ {2,}/).filter((_, index) => index !== 6 && index !== 9));
    assert.deepEqual(cells, [
      ['4', 'broker/default/default', 'refused', 'failed', '1', '1', '-', '-'],
      ['1', 'sequence/default/research', 'asked', 'succeeded', '3', '2', '2,000/40', '$0.5'],
    ]);
  });

  test('list keeps to what is asked for', async () => {
    const names = async (...args: string[]) => (await run('list', '-o', 'name', ...args)).stdout;
    assert.equal(await names('--flow', 'research'), '1\n');
    assert.equal(await names('--status', 'failed'), '4\n');
    assert.equal(await names('--type', 'asked'), '1\n');
    assert.equal(await names('--before', '4', '--limit', '1'), '1\n');
    const none = await run('list', '--status', 'waiting');
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No runs found.\n']);
    assert.equal((await run('list', '--status', 'done')).code, 2);
  });

  test('list gives programs all of it', async () => {
    const runs = JSON.parse((await run('list', '-o', 'json')).stdout) as RunSummary[];
    assert.deepEqual(
      runs.map((it) => [it.position, it.status]),
      [
        [4, 'failed'],
        [1, 'succeeded'],
      ],
    );
    assert.deepEqual(parse((await run('list', '-o', 'yaml', '--flow', 'research')).stdout), [runs[1]]);
  });

  test('show draws the tree, found by any event of the run', async () => {
    const { code, stdout, stderr } = await run('show', 'a/b?c+');
    assert.deepEqual([code, stderr], [0, '']);
    const drawn = stdout.replaceAll(/127\.0\.0\.1-\d+-/g, '').replaceAll(/\d+(?:\.\d+)?m?s\b/g, 'TIME');
    assert.equal(
      drawn.slice(drawn.indexOf('  1  asked')),
      [
        '  1  asked  from /shop  12 B',
        '  └─ ✓ found  delivered  1 attempt  TIME  reply 0 B  claude 1,000 in, 20 out, $0.25',
        '     └─ 2  found  0 B',
        '        └─ ✓ summary  delivered  1 attempt  TIME  reply 0 B  claude 1,000 in, 20 out, $0.25',
        '           └─ 3  summary  outcome of sequence/default/research  0 B',
        'Total:  TIME, 3 events, 2 deliveries, 2 attempts, 2,000/40 tokens in/out, $0.5',
        '',
      ].join('\n'),
    );
    assert.match(stdout, /^Run: {5}1\nFlow: {4}sequence\/default\/research\nStatus: {2}succeeded\nBegan: /);
  });

  test('show says why a delivery failed, and what to do', async () => {
    const { stdout } = await run('show', '4');
    assert.match(stdout, /└─ ✗ trigger\/default\/refused {2}dead {2}1 attempt {2}/);
    assert.match(stdout, /├─ attempt 1: .*422/);
    assert.match(stdout, /└─ see: millrace dlq show 4 --route trigger\/default\/refused\n/);
  });

  test('show gives programs all of it', async () => {
    const json = JSON.parse((await run('show', '1', '-o', 'json')).stdout) as RunView;
    assert.equal(json.root.deliveries[0]!.replies[0]!.type, 'found');
    assert.deepEqual(parse((await run('show', '1', '-o', 'yaml')).stdout), json);
  });

  test('show says that there is no such run', async () => {
    const { code, stderr } = await run('show', 'nobody');
    assert.deepEqual([code, stderr], [3, 'millrace: there is no run with an event of the position or id "nobody"\n']);
  });
});
