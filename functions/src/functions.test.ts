import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { systemClock } from './clock.ts';
import type { Scaling } from '@millrace/resources/scaling';

import { openFunctions } from './functions.ts';
import type { FunctionLog, Functions, RunningFunction } from './functions.ts';
import { untilGone } from './runtime/process/instances.fixture.ts';
import { aContext, anEvent, failureOf, jsonOf, textOf, until } from './test-support.ts';
import { WORKLOAD_DEFAULTS } from './workload.ts';
import type { Workload } from './workload.ts';

describe('functions', () => {
  let folder: string;
  let functions: Functions | undefined;
  let lines: FunctionLog[];
  let clock: number;
  let files = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  });
  after(() => rm(folder, { recursive: true }));
  afterEach(() => functions?.close());

  async function start(
    code: string,
    changes: Partial<Workload & Pick<Scaling, 'minScale' | 'maxScale'>> = {},
  ): Promise<RunningFunction> {
    const { minScale = 0, maxScale = 0, ...others } = changes;
    const file = join(folder, `code-${(files += 1)}.ts`);
    await writeFile(file, code);
    lines = [];
    clock = 1_000_000;
    functions = openFunctions({ log: (line) => lines.push(line), clock: { ...systemClock, now: () => clock } });
    return functions.start({
      ...WORKLOAD_DEFAULTS,
      name: 'default/tried',
      code: { language: 'node', file },
      scaling: { ...WORKLOAD_DEFAULTS.scaling, minScale, maxScale },
      ...others,
    });
  }
  const call = (running: RunningFunction, subject?: string, signal?: AbortSignal) =>
    running.handler(anEvent({ subject }), aContext(signal));
  const printed = (text: string): boolean => lines.some((line) => line.text === text);

  const PID = 'export default () => process.pid';
  /** Answers only when its file of that name is there, and says before that it has begun. */
  const HELD = (): string => `
    import { existsSync } from 'node:fs';
    let now = 0, most = 0;
    export default async (event: { subject: string }) => {
      most = Math.max(most, now += 1);
      console.log('begun ' + event.subject);
      while (!existsSync(${JSON.stringify(folder)} + '/' + event.subject)) await new Promise((r) => setTimeout(r, 5));
      now -= 1;
      return { pid: process.pid, most, subject: event.subject };
    }`;
  const release = (subject: string): Promise<void> => writeFile(join(folder, subject), '');

  describe('from zero and back', () => {
    test('begins nothing before the first call', async () => {
      const running = await start(PID);
      assert.deepEqual([running.status().instances, running.status().state], [0, 'idle']);
      assert.equal(typeof jsonOf((await call(running)).event), 'number');
      assert.deepEqual([running.status().instances, running.status().state], [1, 'running']);
    });

    test('keeps the instance for the next call', async () => {
      const running = await start(PID);
      const [first, second] = [await call(running), await call(running)];
      assert.equal(textOf(first.event), textOf(second.event));
    });

    test('keeps minScale instances without any call, and begins a new one for one that is lost', async () => {
      const running = await start(PID, { minScale: 1 });
      await until(() => running.status().state === 'running');
      const first = jsonOf((await call(running)).event) as number;
      process.kill(first, 'SIGKILL');
      await until(() => running.status().state !== 'running');
      await until(() => running.status().state === 'running');
      assert.notEqual(jsonOf((await call(running)).event), first);
    });
  });

  describe('capacity', () => {
    test('never gives an instance more calls than its concurrency, and queues in order beyond maxScale', async () => {
      const running = await start(HELD(), { concurrency: 1, maxScale: 1 });
      const calls = ['one-1', 'one-2', 'one-3'].map((subject) => call(running, subject));
      await until(() => printed('begun one-1'));
      assert.equal(running.status().inFlight, 1);
      for (const subject of ['one-3', 'one-2', 'one-1']) await release(subject);
      const answers = (await Promise.all(calls)).map((answer) => jsonOf(answer.event));
      assert.deepEqual(
        answers.map((answer) => answer.most),
        [1, 1, 1],
      );
      const begun = lines.filter((line) => line.text.startsWith('begun')).map((line) => line.text);
      assert.deepEqual(begun, ['begun one-1', 'begun one-2', 'begun one-3']);
    });

    test('begins another instance when all are full, up to maxScale', async () => {
      const running = await start(HELD(), { concurrency: 1, maxScale: 2 });
      const calls = ['two-1', 'two-2', 'two-3'].map((subject) => call(running, subject));
      await until(() => printed('begun two-1') && printed('begun two-2'));
      assert.deepEqual([running.status().instances, running.status().inFlight], [2, 2]);
      for (const subject of ['two-1', 'two-2', 'two-3']) await release(subject);
      const answers = (await Promise.all(calls)).map((answer) => jsonOf(answer.event));
      assert.equal(new Set(answers.map((answer) => answer.pid)).size, 2);
    });

    test('gives one instance many calls at once without a concurrency', async () => {
      const running = await start(HELD());
      const calls = ['many-1', 'many-2', 'many-3'].map((subject) => call(running, subject));
      await until(() => ['many-1', 'many-2', 'many-3'].every((subject) => printed(`begun ${subject}`)));
      assert.equal(running.status().instances, 1);
      for (const subject of ['many-1', 'many-2', 'many-3']) await release(subject);
      await Promise.all(calls);
    });

    test('refuses the call after the ten thousandth that waits, with 503 and when to come again', async () => {
      const running = await start(HELD(), { concurrency: 1, maxScale: 1 });
      const waiting = new AbortController();
      const event = anEvent({ subject: 'never' });
      const calls = Array.from({ length: 10_000 }, () => running.handler(event, aContext(waiting.signal)));
      const failure = await failureOf(running.handler(event, aContext()));
      assert.deepEqual([failure.status, failure.retryAfterMs], [503, 1000]);
      waiting.abort();
      await Promise.allSettled(calls);
    });

    test('a call that is given up while it waits never reaches the code', async () => {
      const running = await start(HELD(), { concurrency: 1, maxScale: 1 });
      const first = call(running, 'kept');
      const waiting = new AbortController();
      const second = failureOf(call(running, 'given-up', waiting.signal));
      waiting.abort();
      assert.match((await second).message, /given up/);
      await release('kept');
      await first;
      await running.drain();
      assert.equal(printed('begun given-up'), false);
    });
  });

  describe('failures', () => {
    test('a call that takes too long fails, and its process ends with all that it has started', async () => {
      const running = await start(
        `import { spawn } from 'node:child_process';
         export default () => { const child = spawn('sleep', ['600']); console.log(child.pid); while (true); }`,
        { timeoutMs: 1000 },
      );
      const failure = await failureOf(call(running));
      assert.match(failure.message, /timed out after 1000 ms/);
      assert.equal(failure.status, undefined);
      await until(() => running.status().instances === 0);
      assert.match(lines[0]!.text, /^\d+$/);
      await untilGone(Number(lines[0]!.text));
    });

    test('a call that is given up does not take the others of its instance with it', async () => {
      const running = await start(HELD(), { concurrency: 3 });
      const waiting = new AbortController();
      const stuck = failureOf(call(running, 'stuck', waiting.signal));
      const other = call(running, 'other');
      await until(() => printed('begun stuck') && printed('begun other'));
      waiting.abort();
      assert.match((await stuck).message, /given up/);
      await release('other');
      const { subject, pid } = jsonOf((await other).event);
      assert.equal(subject, 'other');
      await untilGone(pid);
    });

    test('a crash fails the calls that the instance has, and the next one gets a new instance', async () => {
      const running = await start(`
        export default (event: { subject: string }) => {
          if (event.subject === 'poison') { console.error('dying'); process.kill(process.pid, 'SIGKILL'); }
          return 'well';
        }`);
      assert.match((await failureOf(call(running, 'poison'))).message, /was ended by SIGKILL.*dying/);
      assert.equal(textOf((await call(running)).event), 'well');
      assert.equal(running.status().state, 'running');
    });

    test('code that cannot be loaded fails every call with the reason, with longer and longer waits between attempts', async () => {
      const running = await start(`console.log('tried'); throw new Error('no such model')`);
      const attempts = (): number => lines.filter((line) => line.text === 'tried').length;
      assert.match((await failureOf(call(running))).message, /cannot start: Error: no such model/);
      assert.equal(running.status().state, 'failing');
      assert.match(running.status().message, /no such model/);
      await failureOf(call(running));
      assert.equal(attempts(), 2);
      const early = await failureOf(call(running));
      assert.match(early.message, /no such model/);
      assert.deepEqual([attempts(), early.retryAfterMs], [2, 1000]);
      clock += 1000;
      await failureOf(call(running));
      assert.deepEqual([attempts(), (await failureOf(call(running))).retryAfterMs], [3, 2000]);
    });

    test('code that can be loaded again serves again', async () => {
      const running = await start(`
        import { existsSync } from 'node:fs';
        if (!existsSync(${JSON.stringify(folder)} + '/mended')) throw new Error('broken');
        export default () => 'mended'`);
      await failureOf(call(running));
      await release('mended');
      assert.equal(textOf((await call(running)).event), 'mended');
      assert.deepEqual([running.status().state, running.status().message], ['running', '']);
    });

    test('a python that is not there is named', async () => {
      const file = join(folder, 'x.py');
      await writeFile(file, '');
      const running = await start('', { code: { language: 'python', file }, environment: { PATH: folder } });
      assert.match((await failureOf(call(running))).message, /python3.*not found on the PATH/);
    });

    test('an author can fail with a status and a time to come again', async () => {
      const running = await start(`
        export default (event, { failure }) => { throw failure('slow down', { status: 429, retryAfterMs: 2500 }) }`);
      const failure = await failureOf(call(running));
      assert.deepEqual([failure.status, failure.retryAfterMs], [429, 3000]);
      assert.match(failure.message, /slow down/);
    });

    test('endless output is passed on in pieces', async () => {
      const running = await start(
        `export default () => { process.stdout.write('x'.repeat(1_000_000)); return 'done' }`,
      );
      await call(running);
      await running.drain();
      assert.equal(
        lines.reduce((sum, line) => sum + line.text.length, 0),
        1_000_000,
      );
      assert.ok(lines.every((line) => line.text.length <= 16 * 1024));
    });
  });

  describe('the end', () => {
    test('drain finishes what it has, refuses what comes, and leaves nothing', async () => {
      const running = await start(HELD(), { concurrency: 1, maxScale: 1 });
      const calls = [call(running, 'drain-1'), call(running, 'drain-2')];
      await until(() => printed('begun drain-1'));
      const drained = running.drain();
      assert.equal((await failureOf(call(running))).status, 503);
      await release('drain-1');
      await release('drain-2');
      const answers = (await Promise.all(calls)).map((answer) => jsonOf(answer.event));
      await drained;
      await running.drain();
      assert.deepEqual(
        answers.map((answer) => answer.subject),
        ['drain-1', 'drain-2'],
      );
      assert.equal(running.status().instances, 0);
      await untilGone(answers[0].pid);
    });

    test('close rejects what is under way and leaves no process and no file', async () => {
      const running = await start(`import { homedir } from 'node:os';
        console.log(homedir());
        export default () => new Promise(() => { console.log('begun') })`);
      const pending = failureOf(call(running));
      await until(() => printed('begun'));
      assert.ok(existsSync(lines[0]!.text));
      await functions!.close();
      assert.match((await pending).message, /being closed/);
      assert.equal(existsSync(join(lines[0]!.text, '../..')), false);
      assert.equal(running.status().instances, 0);
    });

    test('a parent that is killed leaves no process and no file', async () => {
      const file = join(folder, 'orphan.mjs');
      const told = join(folder, 'orphan.json');
      // An endless loop could not watch over itself.
      await writeFile(
        file,
        `import { writeFileSync, renameSync } from 'node:fs';
         export default () => {
           writeFileSync('told', JSON.stringify({ pid: process.pid, home: process.cwd() }));
           renameSync('told', ${JSON.stringify(told)});
           while (true);
         }`,
      );
      const parent = spawn(process.execPath, [fileURLToPath(new URL('parent.fixture.ts', import.meta.url)), file], {
        stdio: 'inherit',
      });
      await until(() => existsSync(told));
      const { pid, home } = JSON.parse(await readFile(told, 'utf8')) as { pid: number; home: string };
      process.kill(pid, 0);
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await untilGone(pid);
      await until(() => !existsSync(home));
    });
  });
});
