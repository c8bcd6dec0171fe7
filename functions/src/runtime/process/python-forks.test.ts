import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { until } from '../../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../../workload.ts';
import { openWorkbench } from '../workbench.fixture.ts';
import type { Piece } from '../workbench.fixture.ts';
import { heldClock, untilGone } from './instances.fixture.ts';
import type { Launched, Launcher } from './launcher.ts';
import { makeNest } from './nest.ts';
import { processRuntime } from './process.ts';
import { pythonForks } from './python-forks.ts';

const onLinux = { skip: process.platform === 'linux' ? false : 'looks at /proc' };
const bench = openWorkbench();
after(() => bench.close());

/** A package that remembers which process has imported it. */
const PACKAGE = 'import os\nloaded_by = os.getpid()\n';
for (const name of ['alpha', 'beta', 'gamma', 'delta', 'epsilon']) bench.write(`packages/${name}.py`, PACKAGE);
bench.write('packages/asks.py', `${PACKAGE}asked = os.environ.get("ASKED")\n`);
bench.write('packages/asks_home.py', `${PACKAGE}home = os.environ["HOME"]\n`);
bench.write(
  'packages/threads.py',
  `${PACKAGE}import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()\n`,
);
bench.write('packages/opens.py', `${PACKAGE}file = open(__file__)\n`);
bench.write('packages/dies.py', `${PACKAGE}if os.getcwd() == "/": os._exit(1)\n`);
bench.write('packages/fails.py', 'raise ValueError("it fails")\n');
const packages = `${bench.folder}/packages`;

/** Answers which process it is, who forked it, and who has imported the package. */
const reporting = (name: string): string => `
import os, ${name}
def handle(event, context):
    return [os.getpid(), os.getppid(), ${name}.loaded_by]`;

interface Report {
  readonly pid: number;
  readonly parent: number;
  readonly isForked: boolean;
}

describe('a Python instance', () => {
  let files = 0;
  const begun: Piece[] = [];
  // There are no more than four servers while they have instances.
  afterEach(() => Promise.all(begun.splice(0).map((piece) => piece.kill())));
  async function start(code: string, environment: Record<string, string> = {}, folder = `f${(files += 1)}`) {
    const file = bench.write(`${folder}/main.py`, code);
    const piece = bench.begin({ language: 'python', file, packages }, { environment });
    begun.push(piece);
    await piece.ready;
    return piece;
  }
  async function report(...given: Parameters<typeof start>): Promise<Report> {
    const piece = await start(...given);
    const [pid, parent, loadedBy] = JSON.parse((await piece.tell()).text) as [number, number, number];
    assert.ok(loadedBy === pid || loadedBy === parent);
    return { pid, parent, isForked: loadedBy === parent };
  }

  test('is forked from a process that has imported its packages, the same for the same imports', async () => {
    const [one, two] = await Promise.all([report(reporting('alpha')), report(reporting('alpha'))]);
    assert.deepEqual(
      [one.isForked, two.isForked, one.parent === two.parent, one.pid === two.pid],
      [true, true, true, false],
    );
    const other = await report(reporting('beta'));
    assert.notEqual(other.parent, one.parent);
  });

  for (const [why, name, environment] of [
    ['declares a variable that an import has looked at', 'asks', { ASKED: 'x' }],
    ['declares a variable that is read as Python starts', 'alpha', { PYTHONHASHSEED: '1' }],
    ['is to have nothing loaded ahead', 'alpha', { MILLRACE_PRELOAD: 'off' }],
    ['has an import that asks for its home', 'asks_home', {}],
    ['has an import that begins a thread', 'threads', {}],
    ['has an import that leaves a file open', 'opens', {}],
    ['has an import that ends its process', 'dies', {}],
  ] as const) {
    test(`is begun on its own when it ${why}`, async () => {
      assert.equal((await report(reporting(name), environment)).isForked, false);
    });
  }

  test('is forked all the same when an import looked at what is no different, or failed', async () => {
    assert.equal((await report(reporting('asks'))).isForked, true);
    const code = `${reporting('alpha')}\ntry:\n    import fails, no_such_module\nexcept ValueError: pass`;
    assert.equal((await report(code)).isForked, true);
  });

  test('finds its neighbour, not the package of its name', async () => {
    bench.write('shadow/alpha.py', 'loaded_by = "neighbour"');
    const piece = await start(reporting('alpha'), {}, 'shadow');
    assert.equal(JSON.parse((await piece.tell()).text)[2], 'neighbour');
  });

  test('finds what stands beside the original of its file, and does not find it in that place first', async () => {
    bench.write('original/beside.py', 'word = "original"');
    bench.write('original/both.py', 'word = "original"');
    bench.write('copy/both.py', 'word = "copy"');
    const file = bench.write(
      'copy/main.py',
      'import beside, both\ndef handle(req):\n    return beside.word + both.word',
    );
    const origin = `${bench.folder}/original/main.py`;
    const piece = bench.begin({ language: 'python', file, origin, packages });
    await piece.ready;
    assert.equal((await piece.tell()).text, 'originalcopy\n');
  });

  test('has chance, an environment and descriptors of its own, and can open its output', onLinux, async () => {
    const code = `
import json, os, random, sys, alpha
def handle(event, context):
    with open("/dev/stdout", "w") as output: print("by its name", file=output)
    descriptors = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if int(fd) != 3 and os.path.exists(f"/proc/self/fd/{fd}")]
    return [random.random(), dict(os.environ), sorted(descriptors), os.getsid(0) == os.getpid(), os.getpid()]`;
    const [one, two] = [await start(code, { WORD: 'one' }), await start(code, { WORD: 'two' })];
    const [first, second] = [JSON.parse((await one.tell()).text), JSON.parse((await two.tell()).text)];
    assert.notEqual(first[0], second[0]);
    assert.deepEqual([first[1].WORD, second[1].WORD], ['one', 'two']);
    assert.deepEqual(Object.keys(first[1]).toSorted(), ['HOME', 'LANG', 'PATH', 'TMPDIR', 'WORD']);
    const kinds = first[2].map((name: string) =>
      name.replace(/.*\/(std\w+|http\.std\w+|null)$/, '$1').replace(/\d+/, 'n'),
    );
    // Its input, its output, where it listens, and the call.
    const sockets = kinds.filter((kind: string) => kind === 'socket:[n]');
    assert.ok(kinds.includes('http.stdout') && kinds.includes('http.stderr') && kinds.includes('null'), String(kinds));
    assert.deepEqual([kinds.length - sockets.length, sockets.length <= 2, first[3]], [3, true, true], String(kinds));
    await until(() => bench.lines.some((line) => line.text === 'by its name' && line.instance === one.id));
    assert.match(readlinkSync(`/proc/${first[4]}/fd/1`), /stdout$/);
  });

  test('says how it ended, and takes along what it has started', onLinux, async () => {
    const code = `
import os, subprocess, alpha
def handle(event, context):
    return [os.getpid(), subprocess.Popen(["sleep", "600"]).pid]`;
    const piece = await start(code);
    const [pid, child] = JSON.parse((await piece.tell()).text) as [number, number];
    process.kill(pid, 'SIGKILL');
    assert.equal(await piece.ended, 'was ended by SIGKILL');
    await untilGone(child);
  });

  test(
    'ends, with words, when the process that it was forked from is killed; the next is forked again',
    onLinux,
    async () => {
      const piece = await start(reporting('gamma'));
      const [pid, parent] = JSON.parse((await piece.tell()).text) as [number, number];
      assert.notEqual(parent, process.pid);
      process.kill(parent, 'SIGKILL');
      assert.match(await piece.ended, /ended with the process that it was forked from, which was ended by SIGKILL/);
      await Promise.all([pid, parent].map(untilGone));
      const next = await report(reporting('gamma'));
      assert.deepEqual([next.isForked, next.parent === parent], [true, false]);
    },
  );

  test('can be ended while it waits to be forked', async () => {
    bench.write('packages/slow.py', 'import time\ntime.sleep(600)');
    const file = bench.write('waits/main.py', 'import slow');
    const runtime = processRuntime();
    const workload = {
      ...WORKLOAD_DEFAULTS,
      name: 'default/waits',
      code: { language: 'python', file, packages },
    } as const;
    const instance = runtime.start(workload, () => {});
    const ended = instance.kill();
    await runtime.close();
    assert.match(await ended.then(() => instance.ended), /was ended before it began/);
  });

  test('leaves nothing behind when we are killed', onLinux, async () => {
    const file = bench.write(
      'orphan/main.py',
      'import os, sys, time\ndef handle(req):\n    print(os.getpid(), os.getppid(), file=open("/dev/stdout", "w"))\n    open(os.path.join(os.path.dirname(__file__), "told"), "w").write(f"{os.getpid()} {os.getppid()} ")\n    time.sleep(600)',
    );
    const fixture = fileURLToPath(new URL('../../parent.fixture.ts', import.meta.url));
    const parent = spawn(process.execPath, [fixture, file], { stdio: 'ignore' });
    let pids: number[] = [];
    await until(() => {
      pids = toldIn(`${bench.folder}/orphan/told`);
      return pids.length === 2;
    });
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await Promise.all(pids.map(untilGone));
  });
});

function toldIn(file: string): number[] {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith(' ') ? text.trim().split(' ').map(Number) : [];
  } catch {
    return [];
  }
}

describe('the fork servers of Python', () => {
  let groups: number[];
  let launched: Launched[];
  let forks: Launcher;
  let clock: ReturnType<typeof heldClock>;
  const nest = makeNest();
  beforeEach(() => {
    groups = [];
    launched = [];
    clock = heldClock();
    const watch = (group: number): void => {
      groups.push(group);
      nest.watch(group);
    };
    forks = pythonForks({ ...nest, watch }, { environment: () => ({}), warm: true, after: clock.after });
  });
  afterEach(async () => {
    launched.forEach(({ signal }) => signal('SIGKILL'));
    await forks.close();
    await Promise.all(groups.map(untilGone));
  });

  let sockets = 0;
  /** Begins an instance; resolves when it is ready with the server that it comes from, which it may have begun. */
  async function launch(name: string): Promise<{ server: number; end(): Promise<void> }> {
    const file = bench.write(`servers/${name}/main.py`, reporting(name));
    let pid = 0;
    const socket = `${bench.folder}/s${(sockets += 1)}`;
    const one = forks.launch({
      workload: { ...WORKLOAD_DEFAULTS, name: 'default/tiny', code: { language: 'python', file, packages } },
      socket,
      home: bench.folder,
      environment: {},
      begun: (number) => (pid = number),
    });
    launched.push(one);
    assert.deepEqual(await one.told, { ready: true });
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const server = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return {
      server,
      async end() {
        one.signal('SIGKILL');
        await one.exit;
      },
    };
  }

  test(
    'are none before the first launch, and go when they have had no instance for five minutes',
    onLinux,
    async () => {
      assert.deepEqual(groups, []);
      const one = await launch('alpha');
      await clock.pass(600_000);
      await one.end();
      await clock.pass(299_000);
      const two = await launch('alpha');
      assert.equal(two.server, one.server);
      await two.end();
      await clock.pass(300_000);
      await untilGone(one.server);
    },
  );

  test('are four at most: the one that was used longest ago and has no instance goes', onLinux, async () => {
    const [alpha, beta] = [await launch('alpha'), await launch('beta')];
    await Promise.all([launch('gamma'), launch('delta')]);
    const cold = await launch('epsilon');
    assert.equal(cold.server, process.pid);
    await beta.end();
    const epsilon = await launch('epsilon');
    assert.notEqual(epsilon.server, process.pid);
    await untilGone(beta.server);
    process.kill(alpha.server, 0);
  });
});
