import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';

import { compilePlan } from '@millrace/bus/plan/compile';
import { findCode } from '@millrace/functions/find-code';
import { formatFault } from '@millrace/resources/fault';
import { readFolder } from '@millrace/resources/folder';

import { post } from './support/events.ts';
import { startMillrace, testFolder } from './support/process.ts';

const ROOT = join(import.meta.dirname, '..');
const MANIFESTS = join(ROOT, 'manifests', 'examples');
const FUNCTIONS = join(ROOT, 'functions', 'examples');

describe('the examples', () => {
  for (const name of readdirSync(MANIFESTS)) {
    test(`${name} reads and compiles without faults, and nothing that it names is missing`, () => {
      const { declared, faults } = readFolder(join(MANIFESTS, name));
      assert.deepEqual(faults.map(formatFault), []);
      const plan = compilePlan(declared, 'http://127.0.0.1:8080');
      assert.deepEqual(plan.faults, []);
      const notReady = [...plan.statuses.values()].flatMap(({ conditions }) =>
        conditions.filter((it) => it.status === 'False'),
      );
      assert.deepEqual(notReady, []);
      assert.notEqual(plan.routes.length, 0);
      for (const { namespace, service, code, manifest } of plan.workloads) {
        const annotation = code === undefined ? {} : { annotation: code };
        const found = findCode({ namespace, service, manifestFolder: dirname(manifest), ...annotation });
        assert.ok('code' in found, `${service}: ${JSON.stringify(found)}`);
      }
    });
  }

  test('every function among them is called by a test', () => {
    const tests = readFileSync(join(FUNCTIONS, 'examples.test.ts'), 'utf8');
    const folders = globSync('*/', { cwd: FUNCTIONS });
    assert.notEqual(folders.length, 0);
    for (const folder of folders) assert.match(tests, new RegExp(`'${folder}'|${folder} \\w+`), folder);
  });
});

// Functions of examples say what they got in the log of the process.
describe('the examples with flows', { timeout: 60_000 }, () => {
  test('research-agent: a question becomes searches, facts and a report, and one that asks nothing a dead letter', async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({
      data: folder.at('data'),
      manifests: [join(MANIFESTS, 'research-agent')],
    });
    assert.doesNotMatch(millrace.stderr, /not ready/);
    const flow = `${millrace.url}/flows/sequence/default/research`;
    const data = JSON.stringify({ question: 'How does an overshot wheel use the stream?' });
    assert.equal((await post(flow, { id: 'q1', data })).status, 202);
    await millrace.says(/# How does an overshot wheel use the stream\?/);
    const said = await millrace.says(/- An undershot wheel stands in the stream/);
    assert.match(said, /\[stand-in model\]/);
    await millrace.settled();
    const items = await millrace.ask<unknown[]>('/api/events?topic=items/map/default/searches');
    assert.equal(items.length, 4, 'does, overshot, wheel, stream');
    assert.deepEqual(await millrace.ask('/api/dead-letters'), []);

    await post(flow, { id: 'q2', data: '{}' });
    await millrace.settled();
    const [letter] = await millrace.ask<{ route: string; failure: { message: string } }[]>('/api/dead-letters');
    assert.equal(letter!.route, 'sequence/default/research/plan-searches');
    assert.match(letter!.failure.message, /data\.question: expected a string/);
  });

  test('channels: an order comes to both subscriptions of its channel, and its price into the next', async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [join(MANIFESTS, 'channels')] });
    const data = JSON.stringify({
      customer: 'Ada',
      lines: [
        { price: 2, count: 3 },
        { price: 0.5, count: 2 },
      ],
    });
    await post(`${millrace.url}/channels/default/orders`, { type: 'com.example.order.placed', data });
    await millrace.says(/com\.example\.order\.placed \{"customer":"Ada","lines"/);
    await millrace.says(/com\.example\.order\.priced \{"customer":"Ada","total":7\}/);
    await millrace.settled();
    assert.deepEqual(await millrace.ask('/api/dead-letters'), []);
  });

  test('multi-source: what the sources say comes as one event, with what failed and who was not asked', async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({
      data: folder.at('data'),
      manifests: [join(MANIFESTS, 'multi-source')],
    });
    const ask = (product: string, extensions: Record<string, string>) =>
      post(`${millrace.url}/flows/parallel/default/sources`, {
        data: JSON.stringify({ product }),
        extensions: { subject: product, ...extensions },
      });
    await ask('kettle', { depth: 'full' });
    await millrace.says(
      /kettle: ask-stock: \{"inStock":4\}; ask-prices: \{"price":39,"currency":"EUR"\}; ask-reviews: \["Boils\.","Is loud\."\]/,
    );
    await ask('lamp', {});
    await millrace.says(
      /lamp: ask-stock: \{"inStock":0\}; ask-prices failed: .*no price for lamp; ask-reviews skipped/,
    );
    await millrace.settled();
    const results = await millrace.ask<unknown[]>('/api/events?topic=results/parallel/default/sources');
    assert.equal(results.length, 2);
  });
});
