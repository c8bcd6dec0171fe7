import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startBus } from '../../../../test/support/bus.ts';
import type { TestBus } from '../../../../test/support/bus.ts';
import { post } from '../../../../test/support/events.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';
import type { Respond, Subscriber } from '../../../../test/support/subscriber.ts';
import { openMemoryStore } from '../log/memory.ts';
import { flow, openFlowAdmin } from './flows.fixture.ts';
import type { FlowAdmin } from './flows.fixture.ts';
import type { RunDelivery, RunEntry, RunList, RunView } from './run-views.ts';

/** Answers with an event of the type that the path names: `/found`; what costs something says so. */
function answerTo(path: string, id: string): Respond {
  const costs = { 'ce-llmmodel': 'claude', 'ce-llminputtokens': '100', 'ce-llmoutputtokens': '20' };
  return {
    status: 200,
    headers: {
      'ce-specversion': '1.0',
      'ce-id': `${id}+`,
      'ce-source': '/agent',
      'ce-type': path.slice(1),
      'content-type': 'application/json',
      ...(path === '/found' ? { ...costs, 'ce-llmcostusd': '0.25' } : {}),
      ...(path === '/summary' ? costs : {}),
    },
    body: '{"is":"done"}',
  };
}

/** A tree with what matters, to compare. */
function outline({ type, deliveries, outcomeOf }: RunEntry): unknown {
  // Steps are named by their address, whose port is another each time.
  const nameOf = ({ step, route }: RunDelivery) => (step?.name ?? route).replace(/^127\.0\.0\.1-\d+-/, '');
  const inner = deliveries.map((it) => [`${nameOf(it)}: ${it.state}`, ...it.replies.map(outline)]);
  return { [outcomeOf === undefined ? type : `outcome ${type}`]: inner };
}

function deliveriesIn(entry: RunEntry): RunDelivery[] {
  return entry.deliveries.flatMap((it) => [it, ...it.replies.flatMap(deliveriesIn)]);
}

describe('runs over the admin port', () => {
  let bus: TestBus;
  let admin: FlowAdmin;
  let agent: Subscriber;
  let sent = 0;

  before(async () => {
    agent = await startSubscriber(({ path, event }) => {
      if (path === '/refuse') return { status: 422, body: 'no' };
      if (path === '/later') return { status: 503 };
      if (path === '/hang') return { hang: true };
      return answerTo(path, event!.id);
    });
    bus = await startBus({ store: openMemoryStore() });
    const to = (path: string) => ({ uri: agent.url + path });
    await bus.apply(
      flow.sequence('research', { steps: [to('found'), to('summary')] }) +
        flow.choice('route', {
          choices: [
            { filters: [{ exact: { type: 'vip' } }], subscriber: to('vip-answer') },
            { filters: [{ exact: { type: 'asked' } }], subscriber: to('answer') },
          ],
        }) +
        flow.map('lines', { itemsPath: '$', subscriber: to('line') }) +
        flow.parallel(
          'quotes',
          { branches: [{ subscriber: to('quote-a') }, { subscriber: to('refuse') }] },
          { 'millrace.dev/join': 'all' },
        ) +
        flow.trigger('refused', { filters: [{ exact: { type: 'refused' } }], subscriber: to('refuse') }) +
        flow.trigger('later', {
          filters: [{ exact: { type: 'late' } }],
          subscriber: to('later'),
          delivery: { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1H' },
        }) +
        flow.trigger('hanging', { filters: [{ exact: { type: 'hanging' } }], subscriber: to('hang') }),
    );
    admin = await openFlowAdmin(bus);
  });
  after(async () => {
    await admin[Symbol.asyncDispose]();
    // What hangs does not answer any more: its connection ends.
    await agent[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
  });

  /** Sends an event; resolves with its run once that is so. */
  async function run(path: string, type: string, status: RunView['status'], data = '[]'): Promise<RunView> {
    const id = `event-${(sent += 1)}`;
    assert.equal((await post(bus.url + path, { id, type, data })).status, 202);
    for (;;) {
      const { body } = await admin.get(`/api/runs/${id}`);
      if (
        (body as RunView).status === status &&
        !deliveriesIn((body as RunView).root).some((it) => it.state === 'pending' && status !== 'running')
      )
        return body as RunView;
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }
  const list = async (query: string) => (await admin.get(`/api/runs?${query}`)).body as RunList;

  test('show a Sequence step by step, up to its outcome, with what it cost', async () => {
    const found = await run('/flows/sequence/default/research', 'asked', 'succeeded');
    assert.deepEqual(outline(found.root), {
      asked: [['found: delivered', { found: [['summary: delivered', { 'outcome summary': [] }]] }]],
    });
    const { flow: entered, entries, deliveries, attempts, usage } = found;
    assert.deepEqual(
      { entered, entries, deliveries, attempts },
      { entered: 'sequence/default/research', entries: 3, deliveries: 2, attempts: 2 },
    );
    assert.deepEqual(usage, { events: 2, inputTokens: 200, outputTokens: 40, costUsd: 0.25, isLeast: true });
    const [delivery] = found.root.deliveries;
    assert.equal(delivery!.step!.flow, 'sequence/default/research');
    assert.deepEqual([delivery!.attempts[0]!.status, delivery!.replies[0]!.size], [200, 13]);
    assert.equal('data' in found.root, false);
  });

  test('show the ways of a Choice that were not taken, and why', async () => {
    const found = await run('/flows/choice/default/route', 'asked', 'succeeded');
    assert.deepEqual(
      found.root.deliveries.map(({ matched, state, reason }) => ({ matched, state, reason })),
      [
        { matched: false, state: 'none', reason: 'type: expected "vip", got "asked"' },
        { matched: true, state: 'delivered', reason: found.root.deliveries[1]!.reason },
      ],
    );
    assert.equal(found.deliveries, 1);
  });

  test('show the items of a Map under the Map that made them', async () => {
    const { root, entries } = await run('/flows/map/default/lines', 'order', 'succeeded', '["a","b","c"]');
    assert.equal(entries, 8);
    const [map] = root.deliveries;
    assert.equal(map!.route, 'map/default/lines');
    assert.equal(root.deliveries.length, 1);
    const items = map!.replies.filter((it) => it.outcomeOf === undefined);
    assert.deepEqual(
      items.flatMap((it) => it.deliveries.map(({ state, replies }) => [state, replies[0]?.type])),
      [
        ['delivered', 'line'],
        ['delivered', 'line'],
        ['delivered', 'line'],
      ],
    );
    assert.equal(map!.replies.find((it) => it.outcomeOf !== undefined)?.outcomeOf, 'map/default/lines');
  });

  test('have failed when a branch has, though the join came to its end', async () => {
    const found = await run('/flows/parallel/default/quotes', 'order', 'failed');
    assert.deepEqual(
      found.root.deliveries.map((it) => it.state),
      ['delivered', 'dead', 'delivered'],
    );
    const dead = found.root.deliveries.find((it) => it.state === 'dead');
    assert.match(dead!.attempts[0]!.message!, /422/);
  });

  test('wait while a retry is due later, and say when', async () => {
    const found = await run('/default/default', 'late', 'waiting');
    const delivery = found.root.deliveries.find((it) => it.route === 'trigger/default/later');
    assert.equal(delivery!.state, 'waiting');
    assert.equal(delivery!.next!.attempt, 2);
    assert.deepEqual(
      (await list('status=waiting')).runs.map((it) => it.position),
      [found.position],
    );
  });

  test('run while an attempt is under way', async () => {
    const found = await run('/default/default', 'hanging', 'running');
    const delivery = found.root.deliveries.find((it) => it.route === 'trigger/default/hanging');
    assert.deepEqual([delivery!.state, delivery!.attempts], ['pending', []]);
    assert.deepEqual(
      (await list('status=running')).runs.map((it) => it.position),
      [found.position],
    );
  });

  test('are the same over with and without a Trigger that came later', async () => {
    const found = await run('/default/default', 'unheard', 'succeeded');
    const before = bus.bus.control.plan;
    const older = before.routes.find((it) => it.name === 'trigger/default/refused');
    await bus.bus.apply({
      ...before,
      routes: [...before.routes, { ...older!, name: 'trigger/default/young', filter: {} }],
    });
    const { body } = await admin.get(`/api/runs/${found.position}`);
    await bus.bus.apply(before);
    const { status, root } = body as RunView;
    assert.equal(status, 'succeeded');
    const young = root.deliveries.find((it) => it.route === 'trigger/default/young');
    assert.deepEqual([young!.matched, young!.state], [true, 'none']);
  });

  test('are found by any event of theirs, by position or id', async () => {
    const found = await run('/flows/sequence/default/research', 'asked', 'succeeded');
    const last = found.root.deliveries[0]!.replies[0]!.deliveries[0]!.replies[0]!;
    for (const key of [last.position, encodeURIComponent(last.id), encodeURIComponent(found.id)]) {
      const { body } = await admin.get(`/api/runs/${key}`);
      assert.equal((body as RunView).position, found.position);
    }
    const none = await admin.get('/api/runs/nobody');
    assert.deepEqual(none, {
      status: 404,
      body: { error: 'there is no run with an event of the position or id "nobody"' },
    });
  });

  test('are listed newest first, by flow, status, topic and type, page by page', async () => {
    const all = await list('limit=1000');
    assert.deepEqual(
      all.runs.map((it) => it.position),
      all.runs.map((it) => it.position).toSorted((a, b) => b - a),
    );
    assert.ok(all.runs.every((it) => !('root' in it)));
    for (const name of ['research', 'default/research', 'sequence/default/research']) {
      const { runs } = await list(`flow=${name}`);
      assert.deepEqual(
        runs.map((it) => [it.flow, it.status]),
        [
          ['sequence/default/research', 'succeeded'],
          ['sequence/default/research', 'succeeded'],
        ],
      );
    }
    const failed = await list('status=failed');
    assert.deepEqual(
      failed.runs.map((it) => it.flow),
      ['parallel/default/quotes'],
    );
    const types = async (query: string) => (await list(query)).runs.map((it) => it.type);
    assert.deepEqual(await types('type=late&topic=broker/default/default'), ['late']);
    assert.deepEqual(await types('flow=broker/default/default'), ['unheard', 'hanging', 'late']);
    assert.deepEqual(await types('flow=nothing'), []);

    const paged = [];
    let next: number | undefined;
    do {
      const page: RunList = await list(`limit=2${next === undefined ? '' : `&before=${next}`}`);
      paged.push(...page.runs.map((it) => it.position));
      next = page.next;
    } while (next !== undefined);
    assert.deepEqual(
      paged,
      all.runs.map((it) => it.position),
    );
  });

  test('are refused by a status that there is not', async () => {
    assert.deepEqual(await admin.get('/api/runs?status=done'), {
      status: 400,
      body: { error: 'status: expected one of running, waiting, succeeded, failed, got "done"' },
    });
  });

  test('have a graph of what is declared beside them', async () => {
    const { body } = await admin.get('/api/graph');
    const { nodes } = body as { nodes: { id: string }[] };
    assert.ok(nodes.some(({ id }) => id === 'sequence/default/research'));
  });
});
