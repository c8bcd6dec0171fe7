import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';

import { broker, trigger } from '../support/manifests.ts';
import { launch, startMillrace, testFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Received, Respond } from '../support/subscriber.ts';
import { chanceOf, seededChance } from '../support/chance.ts';
import { deliveriesById, missing, openLedger } from './ledger.ts';
import { copyLog, readPast } from './past.ts';

const KILLS = 30;
const SENDERS = 4;
const CONCURRENCY = 20;

/**
 *   senders ─▶ broker ─▶ answers ─▶ subscriber, replies ─▶ broker ─▶ told ─▶ subscriber
 *                     ─▶ fails   ─▶ subscriber, which often says 503
 *                     ─▶ absent  ─▶ a function without code: dead letters
 */
test(
  'what was acknowledged survives 30 kills at any moment, and is never delivered twice once that is written',
  { timeout: 120_000 },
  async (t) => {
    const chance = seededChance();
    const ledger = openLedger();
    using folder = testFolder();
    const data = folder.at('data');
    const attemptsOf = new Map<string, number>();
    await using answers = await startSubscriber(replyTo);
    await using told = await startSubscriber();
    await using fails = await startSubscriber(({ event }) => failSometimes(event!.id));
    const load = {
      filter: { attributes: { type: 'load' } },
      annotations: { 'millrace.dev/concurrency': String(CONCURRENCY) },
    };
    const manifests = [
      folder.write(
        'flow.yaml',
        broker() +
          trigger('answers', answers.url, load) +
          trigger('fails', fails.url, {
            ...load,
            delivery: { retry: 10, backoffPolicy: 'linear', backoffDelay: 'PT0.02S' },
          }) +
          trigger('told', told.url, { ...load, filter: { attributes: { type: 'answered' } } }) +
          ABSENT,
      ),
    ];

    let url: string | undefined;
    const over = new AbortController();
    using stack = new DisposableStack();
    stack.defer(() => over.abort());
    const senders = Array.from({ length: SENDERS }, (_, sender) => sendUntilOver(sender));
    const atKills: number[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await using launched = launch({ data, manifests });
      if (kill % 6 === 0) {
        // Also while it starts.
        await pause(chance.integer(100, 900));
      } else {
        const millrace = await launched.ready;
        url = millrace.broker;
        await pause(chance.integer(20, 600));
      }
      launched.signal('SIGKILL');
      const ended = await launched.ended;
      assert.equal(ended.signal, 'SIGKILL', `it ended by itself:\n${ended.stderr}`);
      url = undefined;
      await readWhatCame();
      atKills.push(unrecorded());
    }
    over.abort();
    await Promise.all(senders);
    assert.deepEqual(
      [...ledger.refused.keys()].filter((status) => status !== 0),
      [],
      'no answers but 202',
    );
    assert.ok(ledger.acknowledged.size > KILLS, `too little was acknowledged: ${ledger.acknowledged.size}`);

    // As the last kill left it: each is delivered, dead, waiting, or still to come.
    const past = await readPast(data);
    const byId = new Map(past.known.map((known) => [known.entry.event.id, known]));
    const came = { answers: idsOf(answers.received), fails: idsOf(fails.received), absent: new Set<string>() };
    for (const [id, bytes] of ledger.acknowledged) {
      const known = byId.get(id);
      assert.ok(known, `${id} was acknowledged and is not in the log`);
      assert.deepEqual(Buffer.from(known.entry.event.data!), Buffer.from(bytes), `the bytes of ${id}`);
      for (const [name, ids] of Object.entries(came)) {
        const isSafe = ids.has(id) || past.isAccountedFor(`trigger/default/${name}`, known);
        assert.ok(isSafe, `${id} is neither delivered nor dead nor pending on ${name}`);
      }
    }

    await using last = await startMillrace({ data, manifests });
    await last.settled();
    assert.equal((await last.stop()).code, 0);

    for (const subscriber of [answers, fails]) {
      assert.deepEqual(missing(ledger, deliveriesById(subscriber.received, ledger)), []);
    }
    const end = await readPast(data);
    const repliesTold = idsOf(told.received);
    for (const { entry, dead, replies } of end.known) {
      if (entry.event.type !== 'load') continue;
      const { id } = entry.event;
      assert.ok(dead.has('trigger/default/absent'), `${id} is no dead letter of absent`);
      assert.ok(replies.length > 0, `the reply to ${id} is not in the log`);
      assert.ok(repliesTold.has(`re-${id}`), `the reply to ${id} was not delivered`);
    }

    // A delivery that ended well is repeated only where its record was not written yet.
    const delivered = deliveriesThatEndedWell();
    const duplicates = delivered.times - delivered.distinct;
    const window = atKills.reduce((sum, count) => sum + count, 0);
    t.diagnostic(
      `${ledger.acknowledged.size} acknowledged of ${ledger.sent.size} sent; ${duplicates} duplicates of ${delivered.times} deliveries; without a record at the kills: ${atKills.join(' ')}`,
    );
    assert.ok(duplicates <= window, `${duplicates} duplicates, ${window} deliveries without a record`);

    async function sendUntilOver(sender: number): Promise<void> {
      const own = chanceOf(chance.seed + sender + 1);
      for (let nth = 0; !over.signal.aborted; nth += 1) {
        await pause(own.integer(0, 6));
        if (url === undefined) continue;
        const data = own.bytes(own.integer(0, 10) === 0 ? own.integer(1_000, 20_000) : own.integer(1, 300));
        await ledger.send(url, { id: `${sender}-${nth}`, type: 'load', data });
      }
    }

    function replyTo({ event }: Received): Respond {
      const headers = {
        'ce-specversion': '1.0',
        'ce-id': `re-${event!.id}`,
        'ce-source': '/answers',
        'ce-type': 'answered',
      };
      return { status: 200, headers };
    }

    /** The first attempts of some fail; what fails depends on the id only. */
    function failSometimes(id: string): Respond {
      const nth = (attemptsOf.get(id) ?? 0) + 1;
      attemptsOf.set(id, nth);
      return { status: nth <= failuresOf(id) ? 503 : 202 };
    }

    function deliveriesThatEndedWell(): { times: number; distinct: number } {
      let times = answers.received.length;
      let distinct = idsOf(answers.received).size;
      for (const [id, attempts] of attemptsOf) {
        times += Math.max(0, attempts - failuresOf(id));
        distinct += attempts > failuresOf(id) ? 1 : 0;
      }
      return { times, distinct };
    }

    /** How many deliveries ended well of which the data folder, as the kill left it, does not tell. */
    function unrecorded(): number {
      copyLog(data, folder.path);
      const database = new DatabaseSync(folder.at('log.db'));
      const row = database.prepare(DELIVERED).get();
      database.close();
      return deliveriesThatEndedWell().distinct - Number(row!['count']);
    }
  },
);

const DELIVERED = `
  SELECT count(*) AS count FROM attempt JOIN name ON name.id = attempt.route
  WHERE outcome = 'delivered' AND name.name IN ('trigger/default/answers', 'trigger/default/fails')`;

const ABSENT = `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: absent }
spec: { template: { spec: { containers: [{ image: absent }] } } }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: absent }
spec:
  broker: default
  filter: { attributes: { type: load } }
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: absent } }
  delivery: { retry: 1, backoffPolicy: linear, backoffDelay: PT0.05S }
`;

/** How many attempts for an id fail: 0 for two thirds, 1 or 2 for the others. */
function failuresOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)!) % 9;
  return sum < 3 ? sum : 0;
}

/** What a killed process had sent stands in the sockets; the subscribers read it in these turns. */
async function readWhatCame(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}

function idsOf(received: readonly Received[]): Set<string> {
  return new Set(received.map(({ event }) => event!.id));
}
