import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';

import { chanceOf, seededChance } from '../support/chance.ts';
import { declare, refTo } from '../support/flows.ts';
import { launch, startMillrace, testFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Received, Respond } from '../support/subscriber.ts';
import { checkCauses } from '../simulation/causes.ts';
import { openLedger } from './ledger.ts';
import { readPast } from './past.ts';
import type { Known } from './past.ts';

const KILLS = 30;
const STEPS = 10;
const JOIN = { 'millrace.dev/join': 'all', 'millrace.dev/join-deadline': 'PT1H' };
const DELIVERY = { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT0.02S', backoffMax: 'PT0.1S' };

/** What travels: which event it is, where it has been, and what a Map makes items of. */
interface Data {
  readonly n: number;
  readonly path: readonly string[];
  readonly items?: readonly Data[];
}

interface Row {
  readonly branch?: string;
  readonly outcome: string;
  readonly data?: Data;
}

/**
 *   senders ─▶ Sequence of ten ─────────────────────────────▶ results
 *           ─▶ Parallel ─▶ steady, steady too, shaky ─┐
 *                       ─▶ Sequence of two ───────────┴ join ▶ results
 *           ─▶ Map of up to four items ─────────────────────▶ results
 */
test(
  'each event that a Sequence, a join or a Map has taken has exactly one outcome after 30 kills at any moment',
  { timeout: 180_000 },
  async (t) => {
    const chance = seededChance();
    t.diagnostic(`MILLRACE_SEED=${chance.seed}`);
    const ledger = openLedger();
    using folder = testFolder();
    const data = folder.at('data');
    const attempts = new Map<number, number>();
    await using server = await startSubscriber(answer);
    const step = (name: string) => ({ uri: server.url + name });
    const manifests = [
      folder.write(
        'flows.yaml',
        // The join stands before the flow that its branch is: their order in the manifests means nothing.
        declare(
          'Parallel',
          { name: 'joined', annotations: JOIN },
          {
            branches: [
              { subscriber: step('steady'), delivery: DELIVERY },
              { subscriber: step('steady-too'), delivery: DELIVERY },
              { subscriber: step('shaky'), delivery: DELIVERY },
              { subscriber: refTo('Sequence', 'two') },
            ],
          },
        ) +
          sequence('two', [step('first'), step('second')]) +
          sequence(
            'ten',
            Array.from({ length: STEPS }, (_, index) => step(`step-${index}`)),
          ) +
          declare('Map', 'mapped', {
            itemsPath: '$.items',
            maxConcurrency: 2,
            deadline: 'PT1H',
            subscriber: step('item'),
            delivery: DELIVERY,
          }),
      ),
    ];

    let url: string | undefined;
    const over = new AbortController();
    using stack = new DisposableStack();
    stack.defer(() => over.abort());
    let sent = 0;
    const doors = ['sequence/default/ten', 'parallel/default/joined', 'map/default/mapped'];
    const senders = doors.map((door, index) => sendUntilOver(door, chanceOf(chance.seed + index + 1)));
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await using launched = launch({ data, manifests });
      if (kill % 6 === 0) {
        // Also while it starts.
        await pause(chance.integer(100, 900));
      } else {
        url = (await launched.ready).url;
        await pause(chance.integer(20, 500));
      }
      launched.signal('SIGKILL');
      const ended = await launched.ended;
      assert.equal(ended.signal, 'SIGKILL', `it ended by itself:\n${ended.stderr}`);
      url = undefined;
    }
    over.abort();
    await Promise.all(senders);
    await using last = await startMillrace({ data, manifests });
    await last.settled();
    assert.equal((await last.stop()).code, 0);

    const { known } = await readPast(data);
    const entries = known.map((it) => it.entry);
    checkCauses(entries);
    const byPosition = new Map(known.map((it) => [it.entry.position, it]));
    const results = Map.groupBy(
      known.filter(({ entry }) => entry.topic.startsWith('results/')),
      (it) => rootOf(it).entry.event.id,
    );
    const roots = known.filter(({ entry }) => entry.cause === undefined);
    const taken = new Set(roots.map(({ entry }) => entry.event.id));
    for (const id of ledger.acknowledged.keys()) assert.ok(taken.has(id), `${id} was acknowledged and is not there`);
    assert.equal(taken.size, roots.length, 'an event entered twice');
    const counts: Record<string, number> = {};
    for (const { entry } of roots) {
      const { id } = entry.event;
      const outcomes = (results.get(id) ?? []).filter((it) => !it.entry.topic.endsWith('/two'));
      assert.equal(outcomes.length, 1, `${id} in ${entry.topic} has ${outcomes.length} outcomes`);
      const { event, topic } = outcomes[0]!.entry;
      check(
        topic,
        JSON.parse(Buffer.from(entry.event.data!).toString()),
        JSON.parse(Buffer.from(event.data!).toString()),
      );
      counts[topic] = (counts[topic] ?? 0) + 1;
    }
    const dead = known.flatMap(({ entry, dead: routes }) =>
      [...routes].map((route) => `${numberOf(entry.event.data)} ${route.split('-').at(-1)}`),
    );
    const hopeless = roots
      .filter(({ entry }) => entry.topic.startsWith('parallel/'))
      .map(({ entry }) => numberOf(entry.event.data))
      .filter(isHopeless);
    assert.deepEqual(dead.toSorted(), hopeless.map((n) => `${n} shaky`).toSorted());
    for (const { entry, waiting } of known) assert.equal(waiting.size, 0, `entry ${entry.position} still waits`);
    t.diagnostic(`${JSON.stringify(counts)}; ${server.received.length} calls; ${dead.length} dead letters`);
    for (const door of doors) assert.ok(counts[`results/${door}`]! > KILLS, `too little came through ${door}`);

    async function sendUntilOver(door: string, own: ReturnType<typeof chanceOf>): Promise<void> {
      while (!over.signal.aborted) {
        await pause(own.integer(5, 30));
        if (url === undefined) continue;
        const n = (sent += 1);
        const items = Array.from({ length: own.integer(0, 4) }, (_, index): Data => ({ n: n * 10 + index, path: [] }));
        const body: Data = { n, path: [], ...(door.startsWith('map') ? { items } : {}) };
        await ledger.send(`${url}/flows/${door}`, {
          id: String(n),
          type: 'load',
          contentType: 'application/json',
          data: Buffer.from(JSON.stringify(body)),
        });
      }
    }

    function answer({ path, body, event }: Received): Respond {
      const name = path.slice(1);
      const { n, path: been } = JSON.parse(body.toString()) as Data;
      if (name === 'shaky') {
        if (isHopeless(n)) return { status: 400 };
        const nth = (attempts.get(n) ?? 0) + 1;
        attempts.set(n, nth);
        if (nth <= n % 3) return { status: 503 };
      }
      const headers = {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': `${event!.id}.${name}`,
        'ce-source': `/${name}`,
        'ce-type': 'load',
      };
      return { status: 200, headers, body: JSON.stringify({ n, path: [...been, name] } satisfies Data) };
    }

    function rootOf(one: Known): Known {
      let at = one;
      while (at.entry.cause !== undefined) at = byPosition.get(at.entry.cause.position)!;
      return at;
    }
  },
);

/** What must come out of what went in. */
function check(topic: string, { n, items }: Data, outcome: unknown): void {
  switch (topic) {
    case 'results/sequence/default/ten':
      assert.deepEqual(outcome, { n, path: Array.from({ length: STEPS }, (_, index) => `step-${index}`) });
      return;
    case 'results/map/default/mapped':
      assert.deepEqual(
        outcome,
        items!.map((it, item) => ({ item, outcome: 'succeeded', data: { n: it.n, path: ['item'] } })),
      );
      return;
    default: {
      const rows = (outcome as Row[]).map((it) => [it.outcome, it.data?.n, it.data?.path.join(' ')]);
      const shaky = isHopeless(n) ? ['failed', undefined, undefined] : ['succeeded', n, 'shaky'];
      const others = [
        ['succeeded', n, 'steady'],
        ['succeeded', n, 'steady-too'],
        shaky,
        ['succeeded', n, 'first second'],
      ];
      assert.deepEqual(rows, others, topic);
    }
  }
}

/** Some are refused for good. */
function isHopeless(n: number): boolean {
  return n % 7 === 0;
}

function numberOf(data: Uint8Array | undefined): number {
  return (JSON.parse(Buffer.from(data!).toString()) as Data).n;
}

function sequence(name: string, steps: readonly { readonly uri: string }[]): string {
  return declare('Sequence', name, { steps: steps.map((it) => ({ ...it, delivery: DELIVERY })) });
}
