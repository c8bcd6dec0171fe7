import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { seededChance } from '../support/chance.ts';
import type { Chance } from '../support/chance.ts';
import { post } from '../support/events.ts';
import { broker, trigger } from '../support/manifests.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';

const CHANGES = 1_000;
const SENDERS = 4;
const TRIGGERS = '/apis/eventing.knative.dev/v1/namespaces/default/triggers';

describe('what is declared, changed again and again under load', { timeout: 300_000 }, () => {
  test(`refuses no event and loses none: ${CHANGES} changes, half of them invalid`, async (t) => {
    const chance = seededChance();
    t.diagnostic(`seed ${chance.seed}`);
    using folder = testFolder();
    await using server = await startSubscriber();
    // Sees everything, and is not touched; the other is another one with each change, and sees everything too.
    const still = trigger('still', `${server.url}still`);
    const filed = (round: number) => broker() + still + trigger('filed', `${server.url}filed?${round}`);
    const manifests = [folder.write('flow.yaml', filed(0))];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    await change(millrace, server.url, 0);
    // It takes what comes from when it runs.
    await runs(millrace, 'changed', `${server.url}changed?0`);

    const over = new AbortController();
    const accepted: string[] = [];
    const senders = Array.from({ length: SENDERS }, async (_, sender) => {
      for (let nth = 0; !over.signal.aborted; nth += 1) {
        const id = `${sender}-${nth}`;
        const { status } = await post(millrace.broker, { id, data: '{}' });
        assert.equal(status, 202);
        accepted.push(id);
      }
    });
    const loaded = Promise.all(senders);
    let files = 0;
    let filedLast = 0;
    let changedLast = 0;
    for (let round = 1; round <= CHANGES; round += 1) {
      const isValid = round % 2 === 0;
      if (round % 50 < 2) {
        files += 1;
        folder.write('flow.yaml', isValid ? filed(round) : broken(chance));
        if (isValid) filedLast = round;
      } else if (isValid) {
        await change(millrace, server.url, round);
        changedLast = round;
      } else await refused(millrace, chance);
    }
    over.abort();
    await loaded;
    // A Trigger that is being changed has not got everything, and does not run.
    await runs(millrace, 'filed', `${server.url}filed?${filedLast}`);
    await runs(millrace, 'changed', `${server.url}changed?${changedLast}`);
    await millrace.settled();

    const got = Map.groupBy(server.received, ({ path }) => path.split('?')[0]!);
    for (const subscriber of ['/still', '/filed', '/changed']) {
      const ids = new Set(got.get(subscriber)!.map(({ event }) => event!.id));
      const lost = accepted.filter((id) => !ids.has(id));
      assert.deepEqual(lost, [], `${subscriber} has not got all`);
    }
    // Who is not changed is not disturbed.
    assert.equal(got.get('/still')!.length, accepted.length);
    const ways = new Set(got.get('/changed')!.map(({ path }) => path));
    assert.ok(ways.size > 10, `events went by ${ways.size} versions of the Trigger`);
    t.diagnostic(`${accepted.length} events by ${ways.size} versions, ${files} changes of the file`);
  });
});

/** Puts another version of a Trigger that takes everything in the place of the one before. */
async function change({ admin }: Millrace, url: string, round: number): Promise<void> {
  const filters = [{ exact: { type: 'com.example.test' } }, { not: { exact: { nth: String(round) } } }];
  const body = {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: 'changed' },
    spec: {
      broker: 'default',
      subscriber: { uri: `${url}changed?${round}` },
      filters: filters.slice(0, round % 3),
      delivery: { retry: round % 5 },
    },
  };
  const answer = await send(admin, body);
  assert.ok(answer.ok, await answer.text());
}

/** Resolves when the version of a Trigger runs whose subscriber this is. */
async function runs({ admin }: Millrace, name: string, subscriber: string): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(`${admin}${TRIGGERS}/${name}`);
    const { status } = (await answer.json()) as { status?: { subscriberUri?: string } };
    return status?.subscriberUri === subscriber || undefined;
  });
}

/** Asks for something that cannot be, and is told so. */
async function refused({ admin }: Millrace, chance: Chance): Promise<void> {
  const wrong: readonly object[] = [
    { broker: 'default' },
    { broker: 'default', subscriber: { uri: 'nowhere' } },
    { broker: 'default', subscriber: { uri: 'http://127.0.0.1:1/' }, filters: [{ cesql: 'type =' }] },
    { broker: 'other', subscriber: { uri: 'http://127.0.0.1:1/' } },
    { broker: 'default', subscriber: { uri: 'http://127.0.0.1:1/' }, delivery: { retry: -1 } },
  ];
  const spec = wrong[chance.integer(0, wrong.length - 1)];
  const body = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata: { name: 'changed' }, spec };
  const answer = await send(admin, body);
  assert.equal(answer.ok, false);
  await answer.arrayBuffer();
}

function send(admin: string, body: object): Promise<Response> {
  return fetch(`${admin}${TRIGGERS}/changed?fieldManager=test&force=true`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: JSON.stringify(body),
  });
}

/** Text that no manifest can be. */
function broken(chance: Chance): string {
  const texts = ['kind: [', `${trigger('filed', 'http://127.0.0.1:1/')}---\nkind: Trigge\n`, 'a: b: c'];
  return texts[chance.integer(0, texts.length - 1)]!;
}
