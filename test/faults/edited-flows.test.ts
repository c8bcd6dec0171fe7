import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, test } from 'node:test';

import { checkCauses } from '../simulation/causes.ts';
import { chanceOf, seededChance } from '../support/chance.ts';
import { post } from '../support/events.ts';
import { declare } from '../support/flows.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';
import type { Millrace, TestFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Received, Respond } from '../support/subscriber.ts';
import { copyLog, readPast } from './past.ts';
import type { Known } from './past.ts';

/** The steps of a Sequence, as one edit after the other has them; `undefined`: it is deleted. */
const EDITS: readonly (readonly string[] | undefined)[] = [
  ['a', 'b', 'c'],
  ['a', 'x', 'b', 'c'],
  ['a', 'x', 'c'],
  ['a', 'y', 'c'],
  ['c', 'a'],
  undefined,
  ['a', 'b', 'c'],
];
const RESULTS = 'results/sequence/default/s';

describe('flows that are edited under load', { timeout: 120_000 }, () => {
  for (const how of ['while they run', 'while nothing runs'] as const) {
    test(`have one outcome of each event, by definitions that held one after the other: ${how}`, async (t) => {
      const chance = seededChance();
      using folder = testFolder();
      const data = folder.at('data');
      await using server = await startSubscriber(walk);
      const write = (steps: readonly string[] | undefined) => folder.write('flow.yaml', sequence(server.url, steps));
      const manifests = [write(EDITS[0])];
      let millrace = await startMillrace({ data, manifests });
      await using stack = new AsyncDisposableStack();
      stack.defer(() => millrace[Symbol.asyncDispose]());
      const accepted = new Set<string>();
      for (const [index, steps] of EDITS.entries()) {
        if (index > 0 && how === 'while they run') {
          write(steps);
          await changes(millrace, index);
        } else if (index > 0) {
          // With events inside, and at times without a drain.
          await (index % 2 === 0 ? millrace.kill() : millrace.stop());
          write(steps);
          millrace = await startMillrace({ data, manifests });
        }
        if (steps !== undefined) await load(millrace, 60);
      }
      await millrace.settled();
      await noneRetire(folder, data, 3);
      assert.equal((await millrace.stop()).code, 0);

      const { known } = await readPast(data);
      checkCauses(known.map((it) => it.entry));
      const paths = outcomesOf(known);
      for (const id of accepted) assert.ok(paths.has(id), `${id} was accepted and is not there`);
      for (const [id, outcomes] of paths) {
        assert.equal(outcomes.length, 1, `${id} has ${outcomes.length} outcomes`);
        checkPath(outcomes[0]!);
      }
      const dead = known.filter((it) => it.dead.size > 0).map((it) => it.entry.event.id);
      assert.deepEqual(dead, []);
      t.diagnostic(`${paths.size} events by ${new Set([...paths.values()].map((it) => it[0]!.join())).size} ways`);

      async function load(at: Millrace, count: number): Promise<void> {
        const own = chanceOf(chance.seed + accepted.size);
        for (let nth = 0; nth < count; nth += 1) {
          const id = String(accepted.size);
          const answer = await post(`${at.url}/flows/sequence/default/s`, json(id, []));
          assert.equal(answer.status, 202);
          accepted.add(id);
          await pause(own.integer(0, 3));
        }
      }
    });
  }

  test('give nothing that comes later to a branch that is taken out', async () => {
    using folder = testFolder();
    const data = folder.at('data');
    await using server = await startSubscriber();
    const parallel = (...names: string[]) =>
      declare('Parallel', 'p', { branches: names.map((name) => ({ subscriber: { uri: server.url + name } })) });
    const manifests = [folder.write('flow.yaml', parallel('stays', 'goes'))];
    await using millrace = await startMillrace({ data, manifests });
    const send = (id: string) => post(`${millrace.url}/flows/parallel/default/p`, json(id, []));
    await send('before');
    folder.write('flow.yaml', parallel('stays'));
    await changes(millrace, 1);
    await send('after');
    await millrace.settled();
    const came = server.received.map(({ path, event }) => `${event!.id} ${path}`);
    assert.deepEqual(came.toSorted(), ['after /stays', 'before /goes', 'before /stays']);
  });
});

/** Resolves when so many changes of the manifests have been taken up. */
async function changes(millrace: Millrace, count: number): Promise<void> {
  await millrace.says(new RegExp(`(?:manifests: [^]*?){${count}}`));
}

/** Resolves when the store keeps the definitions of so many routes. */
async function noneRetire(folder: TestFolder, data: string, routes: number): Promise<void> {
  await eventually(() => {
    copyLog(data, folder.path);
    const database = new DatabaseSync(folder.at('log.db'));
    const row = database.prepare('SELECT count(*) AS count FROM definition').get();
    database.close();
    return Number(row!['count']) === routes ? true : undefined;
  });
}

/** Data of the outcomes, by the id of the event that they come from. */
function outcomesOf(known: readonly Known[]): Map<string, string[][]> {
  const byPosition = new Map(known.map((it) => [it.entry.position, it]));
  const outcomes = new Map<string, string[][]>();
  for (const { entry } of known) if (entry.cause === undefined) outcomes.set(entry.event.id, []);
  for (const { entry } of known) {
    if (entry.topic !== RESULTS) continue;
    let root = entry;
    while (root.cause !== undefined) root = byPosition.get(root.cause.position)!.entry;
    outcomes.get(root.event.id)!.push(JSON.parse(Buffer.from(entry.event.data!).toString()) as string[]);
  }
  return outcomes;
}

/** Each step is the first, or comes after the one before it, by one of the edits; so is the last one the last. */
function checkPath(path: readonly string[]): void {
  const says = (holds: (steps: readonly string[]) => boolean) => EDITS.some((it) => it !== undefined && holds(it));
  assert.ok(
    says((steps) => steps[0] === path[0]),
    `${path.join()} begins with no first step`,
  );
  assert.ok(
    says((steps) => steps.at(-1) === path.at(-1)),
    `${path.join()} ends with no last step`,
  );
  for (const [index, step] of path.entries()) {
    const next = path[index + 1];
    if (next === undefined) continue;
    assert.ok(
      says((steps) => steps[steps.indexOf(step) + 1] === next && steps.includes(step)),
      `${path.join()}: ${step}`,
    );
  }
}

async function walk({ path, event, body }: Received): Promise<Respond> {
  const name = path.slice(1);
  const been = JSON.parse(body.toString()) as string[];
  // So that there always are events inside.
  await pause(been.length * 10);
  const { data, contentType } = json('', [...been, name]);
  const headers = {
    'content-type': contentType,
    'ce-specversion': '1.0',
    'ce-id': `${event!.id}.${name}`,
    'ce-source': `/${name}`,
    'ce-type': 'walked',
  };
  return { status: 200, headers, body: data };
}

function json(id: string, path: readonly string[]) {
  return { id, type: 'walk', contentType: 'application/json', data: Buffer.from(JSON.stringify(path)) };
}

function sequence(url: string, steps: readonly string[] | undefined): string {
  if (steps === undefined) return declare('InMemoryChannel', 'alone');
  const delivery = { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT0.05S' };
  return declare('Sequence', 's', { steps: steps.map((name) => ({ uri: url + name, delivery })) });
}
