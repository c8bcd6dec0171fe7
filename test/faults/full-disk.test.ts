import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, test } from 'node:test';

import { trigger } from '../support/manifests.ts';
import { refusal } from '../support/problem.ts';
import { startMillrace, testFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import { deliveriesById, missing, openLedger } from './ledger.ts';
import { obstacle } from './obstacle.ts';
import { readPast } from './past.ts';
import { mountTmpfs, withoutTmpfs } from './tmpfs.ts';

const KIB = 1024;

describe('a full disk', { skip: obstacle(withoutTmpfs()), timeout: 90_000 }, () => {
  test('is told with 507, loses nothing that was acknowledged, and passes without a restart', async () => {
    const ledger = openLedger();
    using folder = testFolder();
    using disk = mountTmpfs('size=48m');
    const data = join(disk.path, 'data');
    const filler = join(disk.path, 'filler');
    // SQLite needs room for what is in its log once more, until it has copied it.
    writeFileSync(filler, Buffer.alloc(36 * KIB * KIB));
    await using subscriber = await startSubscriber();
    const manifests = [folder.write('flow.yaml', trigger('all', subscriber.url))];
    await using millrace = await startMillrace({ data, manifests });
    let count = 0;
    const send = () => {
      count += 1;
      return ledger.send(millrace.broker, { id: `${count}`, data: Buffer.alloc(100 * KIB, count) });
    };

    // Several at once, so that groups of them fail as well.
    for (;;) {
      const answers = await Promise.all(Array.from({ length: 5 }, send));
      const statuses = answers.map(({ status }) => status);
      assert.ok(
        statuses.every((status) => status === 202 || status === 507),
        String(statuses),
      );
      if (statuses.every((status) => status === 507)) break;
      assert.ok(count < 200, '12 MiB took more than 20 MiB');
    }
    assert.ok(ledger.acknowledged.size > 10, `it was full after ${ledger.acknowledged.size}`);
    // What does not fit with others may fit alone, for a while.
    let told = await send();
    while (told.status === 202) told = await send();
    const { title, detail } = refusal(told, told.body, 507);
    assert.match(told.headers.get('retry-after') ?? 'none', /^\d+$/);
    assert.equal(title, 'Insufficient Storage');
    assert.match(detail, /no space left/);
    assert.equal(await (await fetch(`${millrace.admin}/livez`)).text(), 'ok\n');
    // What waits for a record is not to be seen from outside; let it try in vain.
    await pause(1_500);

    rmSync(filler);
    assert.equal((await send()).status, 202, 'there is space again');
    for (let more = 0; more < 5; more += 1) assert.equal((await send()).status, 202);
    await millrace.settled();
    assert.deepEqual(missing(ledger, deliveriesById(subscriber.received, ledger)), []);
    const ended = await millrace.stop();
    assert.equal(ended.code, 0, ended.stderr);

    const { known } = await readPast(data);
    const ids = known.map(({ entry }) => entry.event.id);
    assert.deepEqual(ids.toSorted(), [...ledger.acknowledged.keys()].toSorted(), 'what was refused is not there');
    for (const { entry, attempts } of known)
      assert.equal(attempts.at(-1)?.outcome, 'delivered', `the record of ${entry.event.id}`);
  });

  test('at the start is told with the exit code of storage', async () => {
    using disk = mountTmpfs('size=1m');
    writeFileSync(join(disk.path, 'filler'), Buffer.alloc(KIB * KIB - 8 * KIB));
    await assert.rejects(startMillrace({ data: join(disk.path, 'data') }), /it ended with 7[^]*data/);
  });
});
