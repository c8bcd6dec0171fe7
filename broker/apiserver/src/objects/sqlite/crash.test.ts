import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';

import { openSqliteObjects } from './store.ts';
import { temporaryFolder, unlessRuns } from './testing.ts';
import { writesIn } from './writer.fixture.ts';

const WRITER = join(import.meta.dirname, 'writer.fixture.ts');
// A start on an empty folder makes so many syncs, one on a folder that has data fewer; then come those of the writes,
// one each, and from the fourth on those that copy the write-ahead log into the file.
const FIRST_START = 21;
const AT_WORK = 6;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  /** The last write that was done. */
  readonly acknowledged: number;
}

/** Lets the writer run until what the rule says happens to one of its syncs. */
async function writeUntil(folder: string, rule: string): Promise<Ended> {
  const calls = 'fsync,fdatasync';
  const rules = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${rule}`];
  const child = spawn('strace', ['-f', '--quiet=all', '-o', '/dev/null', ...rules, process.execPath, WRITER, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  const acknowledged = Number(stdout.trimEnd().split('\n').at(-1));
  return { code, signal, stderr, acknowledged };
}

/** How many writes a folder has, as it is now; the folder itself stays as it is. */
async function writesOn(folder: string): Promise<number> {
  using copy = temporaryFolder();
  cpSync(folder, copy.path, { recursive: true });
  const store = openSqliteObjects(copy.path);
  const writes = writesIn(store);
  await store.close();
  return writes;
}

/** All that was acknowledged is there, and at most the write that was under way beside it. */
async function expectWhole(folder: string, before: number, { acknowledged }: Ended): Promise<number> {
  const writes = await writesOn(folder);
  const least = Math.max(before, acknowledged);
  assert.ok(writes === least || writes === least + 1, `${least} writes were acknowledged, ${writes} are there`);
  return writes;
}

const skip = unlessRuns('strace', '-f', '-o', '/dev/null', 'true');

describe('the file of the objects', { skip, timeout: 200_000, concurrency: 2 }, () => {
  for (const [what, rule, isEnd] of [
    ['is killed in', (nth: number) => `signal=SIGKILL:when=${nth}`, ({ signal }: Ended) => signal === 'SIGKILL'],
    ['fails from', (nth: number) => `error=EIO:when=${nth}+`, ({ code }: Ended) => code === 7 || code === 8],
  ] as const) {
    test(`has every write whole when its first process ${what} any sync on`, async () => {
      for (let nth = 1; nth <= FIRST_START + AT_WORK; nth += 1) {
        using folder = temporaryFolder();
        const ended = await writeUntil(folder.path, rule(nth));
        assert.ok(isEnd(ended), told(ended));
        await expectWhole(folder.path, 0, ended);
      }
    });

    test(`has every write whole when one process after the other ${what} a later sync on`, async (t) => {
      using folder = temporaryFolder();
      let writes = 0;
      for (let nth = 1; nth <= FIRST_START + AT_WORK; nth += 1) {
        const ended = await writeUntil(folder.path, rule(nth));
        assert.ok(isEnd(ended), told(ended));
        writes = await expectWhole(folder.path, writes, ended);
      }
      t.diagnostic(`${writes} writes`);
      assert.ok(writes > FIRST_START, `there were only ${writes} writes`);
    });
  }

  test('takes nothing more once a single sync of its work has failed', async () => {
    for (let nth = FIRST_START + 1; nth <= FIRST_START + AT_WORK; nth += 1) {
      using folder = temporaryFolder();
      const ended = await writeUntil(folder.path, `error=EIO:when=${nth}`);
      assert.equal(ended.code, 7, told(ended));
      assert.match(ended.stderr, /StoreBroken: a write or sync of the objects failed \(disk I\/O error\)/);
      await expectWhole(folder.path, 0, ended);
    }
  });
});

const told = ({ code, signal, stderr }: Ended) => `it ended with ${code ?? signal}:\n${stderr}`;
