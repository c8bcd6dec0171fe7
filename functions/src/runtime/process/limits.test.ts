import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';

import { aContext, anEvent, failureOf } from '../../test-support.ts';
import type { Cgroup, CgroupTree } from './cgroup.ts';
import { heldClock, useInstances } from './instances.fixture.ts';
import { makeLimiter } from './limits.ts';
import { boundData, watchMemory } from './memory-watch.ts';

const MIB = 2 ** 20;
const onLinux = { skip: process.platform === 'linux' ? false : 'memory is watched through /proc' };

describe('the limits of an instance', () => {
  const instances = useInstances();
  const greedyNode = `
    const kept = [];
    export default async (event) => {
      if (event.subject === 'modest') return 'well';
      for (;;) { kept.push(Buffer.alloc(4 * 1024 * 1024, 1)); await new Promise((r) => setTimeout(r, 2)); }
    }`;

  test('of memory end one that uses more, and say so', onLinux, async () => {
    const instance = await instances.start(greedyNode, { limits: { memoryBytes: 256 * MIB } });
    await instance.ready;
    assert.equal((await instance.handler(anEvent({ subject: 'modest' }), aContext())).status, 200);
    const failure = await failureOf(instance.handler(anEvent(), aContext()));
    assert.match(failure.message, /crashed while it had the event: it used more than its memory limit 256Mi/);
    assert.match(await instance.ended, /^used more than its memory limit 256Mi and was ended by SIGKILL/);
  });

  test('of memory count what a Python function has, and what it has started', onLinux, async () => {
    const instance = await instances.start(
      `
import subprocess, sys
def handle(event, context):
    subprocess.run([sys.executable, "-c", "import time; kept = b'x' * 200_000_000; time.sleep(600)"])
`,
      { limits: { memoryBytes: 128 * MIB } },
      'python',
    );
    await instance.ready;
    const failure = await failureOf(instance.handler(anEvent(), aContext()));
    assert.match(failure.message, /used more than its memory limit 128Mi/);
  });

  test('cost nothing and say nothing where none is declared', async () => {
    const opened: string[] = [];
    const limiter = makeLimiter({
      open: () => {
        opened.push('cgroups');
        return undefined;
      },
    });
    const hold = limiter.hold('one', 1, {}, () => assert.fail('nothing is exceeded'));
    assert.deepEqual([hold.notes, hold.exceeded(), opened], [[], undefined, []]);
    await hold.release();
  });

  test('that cannot be kept are named', async () => {
    const limiter = makeLimiter({ open: () => undefined, clock: heldClock() });
    const hold = limiter.hold('one', 0, { cpus: 0.5, memoryBytes: 512 * MIB }, () => {});
    assert.deepEqual(hold.notes, [
      'the cpu limit 500m is not kept: cgroup v2 is not writable here',
      'the memory limit 512Mi is watched, not held by the system: cgroup v2 is not writable here',
    ]);
    await hold.release();
  });

  test('are held by the kernel where it lets us, without a note', async () => {
    const told: string[] = [];
    let hasNoMemory = false;
    const group: Cgroup = {
      ranOutOfMemory: () => hasNoMemory,
      kill: () => void told.push('kill'),
      leave: async () => void told.push('leave'),
    };
    const tree: CgroupTree = {
      controllers: new Set(['memory', 'cpu']),
      enter(name, pid) {
        told.push(`${name} ${pid}`);
        return group;
      },
    };
    const hold = makeLimiter({ open: () => tree }).hold('one', 7, { cpus: 1, memoryBytes: 128 * MIB }, () => {});
    assert.deepEqual([hold.notes, hold.exceeded()], [[], undefined]);
    hasNoMemory = true;
    hold.kill();
    assert.equal(hold.exceeded(), 'used more than its memory limit 128Mi');
    await hold.release();
    assert.deepEqual(told, ['one 7', 'kill', 'leave']);
  });
});

describe('the bound of the system', () => {
  test('fails what asks for far more than the limit, and nothing within it', onLinux, async () => {
    const code = `
import sys
for size in sys.stdin:
    try:
        print(len(bytes(int(size))), flush=True)
    except MemoryError:
        print("none", flush=True)
`;
    const child = spawn('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'inherit'] });
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    const ask = async (bytes: number): Promise<string> => {
      child.stdin.write(`${bytes}\n`);
      return String((await answers.next()).value);
    };
    assert.equal(await ask(8_000_000_000), '8000000000');
    await boundData(child.pid!, 128 * MIB);
    assert.equal(await ask(8_000_000_000), 'none');
    assert.equal(await ask(120_000_000), '120000000');
    child.stdin.end();
    await once(child, 'exit');
  });
});

describe('the watch over memory', () => {
  test('looks the more often the nearer the limit is, and tells once', async () => {
    const clock = heldClock();
    let used = 0;
    let looks = 0;
    let exceeded = 0;
    const usedBy = (): number => {
      looks += 1;
      return used;
    };
    watchMemory(1, 8192 * MIB, clock, () => (exceeded += 1), usedBy);
    await clock.pass(50);
    assert.equal(looks, 1);
    used = 8192 * MIB;
    await clock.pass(999);
    assert.equal(looks, 1);
    await clock.pass(101);
    assert.deepEqual([looks, exceeded], [4, 0]);
    used += 1;
    await clock.pass(10_000);
    assert.deepEqual([looks, exceeded], [5, 1]);
  });
});
