import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { launch, startMillrace, testFolder } from '../support/process.ts';
import type { Ended } from '../support/process.ts';
import { openLedger } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { obstacle, withoutStrace } from './obstacle.ts';

const SENDERS = 3;
const MOST = 1_000;

// Every thread counts its own syncs: the first nine are of the start, which makes the tables; then the writer's come.
const AT_START = [1, 4, 8, 9];
const AT_WORK = [10, 11, 12, 17, 40];
const CALLS = 'fsync,fdatasync';

describe('a sync of the log', { skip: obstacle(withoutStrace()), timeout: 240_000 }, () => {
  for (const when of [...AT_START, ...AT_WORK, '13+']) {
    test(`that fails (number ${when}) ends the process with 7, and loses nothing`, async (t) => {
      using folder = testFolder();
      const ledger = openLedger();
      const ended = await sendUntilItEnds(folder.at('data'), `inject=${CALLS}:error=EIO:when=${when}`, ledger);
      t.diagnostic(`${ledger.acknowledged.size} acknowledged of ${ledger.sent.size}`);
      assert.equal(ended.code, 7, `it ended with ${ended.code ?? ended.signal}:\n${ended.stderr}`);
      assert.match(ended.stderr, /^millrace: .*i\/o error/im);
      await expectAll(folder, ledger);
    });
  }

  for (const when of [...AT_START, ...AT_WORK]) {
    test(`during which the process is killed (number ${when}) loses nothing`, async (t) => {
      using folder = testFolder();
      const ledger = openLedger();
      const ended = await sendUntilItEnds(folder.at('data'), `inject=${CALLS}:signal=SIGKILL:when=${when}`, ledger);
      t.diagnostic(`${ledger.acknowledged.size} acknowledged of ${ledger.sent.size}`);
      assert.equal(ended.signal, 'SIGKILL', `it ended with ${ended.code ?? ended.signal}:\n${ended.stderr}`);
      await expectAll(folder, ledger);
    });
  }
});

/** Starts it under strace, and sends until nobody answers any more. */
async function sendUntilItEnds(data: string, rule: string, ledger: Ledger): Promise<Ended> {
  const under = ['strace', '-f', '--quiet=all', '-o', '/dev/null', '-e', `trace=${CALLS}`, '-e', rule];
  await using launched = launch({ data, under });
  const millrace = await launched.ready.catch(() => undefined);
  if (millrace === undefined) return await launched.ended;
  const send = async (sender: number) => {
    let hasFailed = false;
    for (let nth = 0; nth < MOST; nth += 1) {
      const id = `${sender}-${nth}`;
      const { status } = await ledger.send(millrace.broker, { id, data: Buffer.from(`the data of ${id}`) });
      if (status === 503) hasFailed = true;
      else assert.ok(status === 0 || !hasFailed, `${id} was answered ${status} after a sync had failed`);
      if (status === 0) return;
    }
    assert.fail(`it still answers after ${MOST} events: no sync was failed`);
  };
  await Promise.all(Array.from({ length: SENDERS }, (_, sender) => send(sender)));
  // Waited for here: on the way out it is killed.
  return await launched.ended;
}

/** Starts it again as it is, and expects every 202 there. */
async function expectAll(folder: ReturnType<typeof testFolder>, ledger: Ledger): Promise<void> {
  await using again = await startMillrace({ data: folder.at('data') });
  for (const [id, data] of ledger.acknowledged) {
    const response = await fetch(`${again.admin}/api/events/${id}/data`);
    assert.equal(response.status, 200, `${id} was acknowledged and is not in the log`);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(data));
  }
}
