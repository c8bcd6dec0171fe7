import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';

import { systemClock } from '../../clock.ts';
import { until } from '../../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../../workload.ts';
import { openWorkbench } from '../workbench.fixture.ts';
import type { Piece } from '../workbench.fixture.ts';
import { untilGone } from './instances.fixture.ts';
import type { Launched, Launcher } from './launcher.ts';
import { makeNest } from './nest.ts';
import { nodePool } from './node-pool.ts';
import { processRuntime } from './process.ts';

const environment = () => ({ HOST_SAYS: 'hello' });
const bench = openWorkbench(processRuntime({ warm: 1, environment }));
after(() => bench.close());

describe('the pool of Node', () => {
  let spawned: number[];
  let begun: number[];
  let launched: Launched[];
  let pool: Launcher;
  const nest = makeNest();
  const file = bench.write('tiny.mjs', 'export default () => {}');

  beforeEach(() => {
    spawned = [];
    begun = [];
    launched = [];
    const watch = (group: number): void => {
      spawned.push(group);
      nest.watch(group);
    };
    pool = nodePool({ ...nest, watch }, { environment: () => ({}), warm: 2, after: systemClock.after });
  });
  afterEach(async () => {
    launched.forEach(({ signal }) => signal('SIGKILL'));
    await pool.close();
    await Promise.all(launched.map(({ exit }) => exit));
    await Promise.all(spawned.map(untilGone));
  });

  let sockets = 0;
  function launch(): Launched {
    const one = pool.launch({
      workload: { ...WORKLOAD_DEFAULTS, name: 'default/tiny', code: { language: 'node', file } },
      socket: `${bench.folder}/${(sockets += 1)}`,
      home: bench.folder,
      environment: {},
      begun: (pid) => begun.push(pid),
    });
    launched.push(one);
    return one;
  }

  test('spawns nothing before the first launch, then keeps some who wait, and takes the next from them', async () => {
    assert.deepEqual(spawned, []);
    assert.deepEqual(await launch().told, { ready: true });
    await until(() => spawned.length === 3);
    assert.deepEqual(begun, spawned.slice(0, 1));
    assert.deepEqual(await launch().told, { ready: true });
    assert.deepEqual(begun, spawned.slice(0, 2));
    await until(() => spawned.length === 4);
  });

  test('replaces one that dies while it waits', async () => {
    await launch().told;
    await until(() => spawned.length === 3);
    process.kill(spawned[1]!, 'SIGKILL');
    await until(() => spawned.length === 4);
  });

  test('begins an instance also when the worker dies as it gets its order', async () => {
    await launch().told;
    await until(() => spawned.length === 3);
    process.kill(spawned[1]!, 'SIGKILL');
    assert.deepEqual(await launch().told, { ready: true });
    assert.deepEqual(begun, [spawned[0], spawned[1], spawned[3]]);
  });

  test('begins none anew for one that is to end', async () => {
    await launch().told;
    await until(() => spawned.length === 3);
    const ending = launch();
    ending.signal('SIGKILL');
    assert.match(String(await ending.exit), /SIGKILL/);
    assert.deepEqual(begun, spawned.slice(0, 2));
  });

  test('spawns none while it is being closed, and can be used again', async () => {
    const first = launch();
    await pool.close();
    assert.deepEqual(await first.told, { ready: true });
    await new Promise(setImmediate);
    assert.equal(spawned.length, 1);
    await launch().told;
    await until(() => spawned.length === 4);
  });
});

describe('an instance from the pool', () => {
  beforeEach(() => bench.runtime.close());

  const start = (code: string, declared: Record<string, string> = {}): Promise<Piece> =>
    bench.node(code, { name: 'same.mjs', environment: declared });
  async function answerOf(code: string, declared: Record<string, string> = {}): Promise<unknown> {
    const piece = await start(code, declared);
    const { text } = await piece.tell();
    await piece.kill();
    return JSON.parse(text);
  }
  test('sees what is declared and what the host gives to all, and runs in its own folder', async () => {
    const seen =
      'export default () => [Object.keys(process.env).sort(), process.cwd() === process.env.HOME, process.env.A]';
    for (const value of ['cold', 'from the pool']) {
      const names = ['A', 'HOME', 'HOST_SAYS', 'LANG', 'PATH', 'TMPDIR'];
      assert.deepEqual(await answerOf(seen, { A: value }), [names, true, value]);
    }
    assert.equal(await answerOf('export default () => [process.env.HOST_SAYS][0]', { HOST_SAYS: '"mine"' }), 'mine');
  });

  test('has what Node reads at its start', async () => {
    const seen = 'export default () => [process.title, process.env.NODE_OPTIONS ?? 0]';
    await answerOf(seen);
    for (let instance = 0; instance < 2; instance += 1) {
      const options = { NODE_OPTIONS: '--title=declared' };
      assert.deepEqual(await answerOf(seen, options), ['declared', '--title=declared']);
    }
  });

  describe('finds its packages loaded', () => {
    // Whoever waits runs in /; an instance has a folder of its own.
    bench.write('node_modules/plain/index.js', `exports.loadedIn = process.cwd()`);
    bench.write('node_modules/reads/index.js', `exports.loadedIn = process.cwd(); exports.word = process.env.WORD`);
    bench.write(
      'node_modules/demands/index.js',
      `if (!process.env.WORD) throw new Error('set WORD'); exports.word = process.env.WORD`,
    );
    const PLAIN = `import plain from 'plain'; export default () => [plain.loadedIn === '/']`;
    const READS = `import reads from 'reads'; export default () => [reads.loadedIn === '/', reads.word ?? 'none']`;

    /** Starts instances until one answers so. */
    async function untilAnswer(
      code: string,
      expected: unknown,
      declared: Record<string, string> = {},
      name = 'preloaded.mjs',
    ): Promise<void> {
      const file = bench.write(name, code);
      for (;;) {
        const piece = bench.begin({ language: 'node', file }, { environment: declared });
        await piece.ready;
        const { text } = await piece.tell();
        await piece.kill();
        if (text === JSON.stringify(expected)) return;
      }
    }

    test('by import and by require', async () => {
      await untilAnswer(PLAIN, [true], { KEY: 'k' });
      const REQUIRED = `const plain = require('plain'); module.exports = () => [plain.loadedIn === '/']`;
      await untilAnswer(REQUIRED, [true], {}, 'required.cjs');
    });

    test('unless it declares what they look at', async () => {
      await untilAnswer(READS, [true, 'none']);
      await untilAnswer(READS, [false, 'mine'], { WORD: 'mine' });
    });

    test('unless they cannot be loaded without it, or it wants none loaded', async () => {
      for (let instance = 0; instance < 4; instance += 1) {
        const demands = `import demands from 'demands'; export default () => [demands.word]`;
        assert.deepEqual(await answerOf(demands, { WORD: 'mine' }), ['mine']);
        assert.deepEqual(await answerOf(PLAIN, { MILLRACE_PRELOAD: 'off' }), [false]);
      }
    });
  });
});
