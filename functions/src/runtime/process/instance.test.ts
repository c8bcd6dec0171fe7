import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import type { Probe } from '@millrace/resources/container';

import { aContext, anEvent, failureOf, until } from '../../test-support.ts';
import { untilGone, useInstances } from './instances.fixture.ts';

const PROBE: Probe = {
  check: { kind: 'tcp' },
  initialDelayMs: 0,
  periodMs: 20,
  timeoutMs: 2_000,
  successes: 1,
  failures: 2,
};

describe('an instance that is probed', () => {
  const instances = useInstances();
  const atHttp = { kind: 'http', path: '/ready', headers: { 'x-probe': 'yes' } } as const;
  /** Serves probes as long as the file is there. */
  const server = (file: string): string => `
    import { existsSync } from 'node:fs';
    export default {
      async fetch(request) {
        if (new URL(request.url).pathname !== '/ready') return Response.json({ pid: process.pid });
        console.log(request.headers.get('user-agent') + ' ' + request.headers.get('x-probe'));
        return new Response('', { status: existsSync(${JSON.stringify(file)}) ? 200 : 503 });
      }
    }`;

  test('by http is ready when it says so, and hears of every change after that', async () => {
    const file = join(instances.folder, 'http');
    const instance = await instances.start(server(file), { readiness: { ...PROBE, check: atHttp } });
    const changes: boolean[] = [];
    instance.onReadiness!((isReady) => changes.push(isReady));
    await until(() => instance.notReady !== undefined);
    assert.equal(instance.notReady, 'its readinessProbe saw: GET /ready answered 503');
    writeFileSync(file, '');
    await instance.ready;
    assert.equal(instance.lines[0]!.text, 'kube-probe/millrace yes');
    rmSync(file);
    await until(() => changes.length === 1);
    writeFileSync(file, '');
    await until(() => changes.length === 2);
    assert.deepEqual(changes, [false, true]);
    assert.equal(instance.notReady, undefined);
  });

  for (const [language, code] of [
    ['node', 'let calls = 0; export default () => ({ calls: calls += 1 })'],
    ['python', 'calls = []\ndef handle(event, context):\n    calls.append(1)\n    return {"calls": len(calls)}'],
  ] as const) {
    test(`by http and handles events is not called by the probe, in ${language}`, async () => {
      const instance = await instances.start(code, { readiness: { ...PROBE, check: atHttp } }, language);
      await instance.ready;
      assert.deepEqual(await instance.ask(), { calls: 1 });
    });
  }

  test('by tcp is ready when it listens', async () => {
    const instance = await instances.start('export default () => 1', { readiness: PROBE });
    await instance.ready;
    assert.equal(await instance.ask(), 1);
  });

  test('by a command is ready when that succeeds in its home, in its environment', async () => {
    const file = join(instances.folder, 'exec');
    const command = ['sh', '-c', `test "$(pwd)" = "$HOME" && test "$MODEL" = small && test -e ${file}`];
    const instance = await instances.start('export default () => 1', {
      environment: { MODEL: 'small' },
      readiness: { ...PROBE, check: { kind: 'exec', command } },
    });
    await until(() => instance.notReady !== undefined);
    assert.match(instance.notReady!, /sh -c test .* exited with code 1/);
    writeFileSync(file, '');
    await instance.ready;
  });

  test('by a command that never ends has it ended, with what it has started', async () => {
    const file = join(instances.folder, 'never');
    const command = ['sh', '-c', `sleep 600 & echo $! > ${file}; echo waiting >&2; wait`];
    const instance = await instances.start('export default () => 1', {
      readiness: { ...PROBE, timeoutMs: 500, check: { kind: 'exec', command } },
    });
    await until(() => instance.notReady !== undefined);
    assert.match(instance.notReady!, /had no answer within 500 ms: waiting/);
    const pid = Number(readFileSync(file, 'utf8'));
    await instance.kill();
    await untilGone(pid);
  });

  test('in vain is given up at the progress deadline, with what the probe saw last', async () => {
    const instance = await instances.start(server('/no/such/file'), {
      readiness: { ...PROBE, check: atHttp },
      progressDeadlineMs: 1_500,
    });
    await assert.rejects(
      instance.ready,
      /did not become ready within 1.5 s: its readinessProbe saw: GET \/ready answered 503/,
    );
    await instance.ended;
  });

  test('and does not live any more is ended, with the reason', async () => {
    const file = join(instances.folder, 'alive');
    writeFileSync(file, '');
    const instance = await instances.start(server(file), { liveness: { ...PROBE, check: atHttp } });
    await instance.ready;
    rmSync(file);
    assert.match(
      await instance.ended,
      /^failed its livenessProbe 2 times in a row \(GET \/ready answered 503\) and exited with code 0/,
    );
  });
});

describe('the words of an instance', () => {
  const instances = useInstances();

  test('say that it is still loading when that takes too long', async () => {
    const instance = await instances.start('await new Promise((r) => setTimeout(r, 60_000))', {
      progressDeadlineMs: 1_000,
    });
    await assert.rejects(instance.ready, /did not become ready within 1 s: it is still loading/);
  });

  test('say that it ran out of memory when its language does', async () => {
    const instance = await instances.start(
      'const kept = []; export default () => { for (;;) kept.push(new Array(1e4).fill(kept.length)); }',
      { environment: { NODE_OPTIONS: '--max-old-space-size=24' } },
    );
    await instance.ready;
    const failure = await failureOf(instance.handler(anEvent(), aContext()));
    assert.match(failure.message, /crashed while it had the event: it ran out of memory and (was ended by|exited)/);
  });

  test('hide secrets in how it ended', async () => {
    const instance = await instances.start(`export default () => { console.error('key hunter22'); process.exit(3) }`, {
      secretValues: ['hunter22'],
    });
    await instance.ready;
    await failureOf(instance.handler(anEvent(), aContext()));
    assert.equal(await instance.ended, 'exited with code 3; last on stderr: key ***');
  });

  test('name the trace that a line belongs to', async () => {
    const instance = await instances.start(`
      export default (event, { logger }) => { logger.info('by logger'); console.log('alone'); }`);
    await instance.ready;
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    await instance.handler(anEvent({ id: 'a' }), { ...aContext(), headers });
    // What is written is told of whoever is under way by then.
    await until(() => instance.lines.length === 2);
    await instance.handler(anEvent({ id: 'b' }), { ...aContext(), headers: { traceparent: 'nonsense' } });
    await instance.stop();
    assert.deepEqual(
      instance.lines.map(({ eventId, traceId: trace, text }) => [eventId, trace, text]),
      [
        ['a', traceId, 'by logger'],
        ['a', traceId, 'alone'],
        ['b', undefined, 'by logger'],
        ['b', undefined, 'alone'],
      ],
    );
  });

  test('of which there are 200 MB do not grow our memory', async () => {
    const instance = await instances.start(`
      export default () => {
        const lines = ('x'.repeat(63) + '\\n').repeat(16_384);
        for (let megabyte = 0; megabyte < 200; megabyte += 1) process.stdout.write(lines);
        return 'done';
      }`);
    await instance.ready;
    const before = process.memoryUsage.rss();
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
    await instance.handler(anEvent(), aContext());
    await instance.stop();
    clearInterval(watch);
    assert.ok(most - before < 150 * 2 ** 20, `grew by ${(most - before) / 2 ** 20} MiB`);
    const told = instance.lines.filter(({ text }) => text.startsWith('…'));
    const dropped = told.reduce((sum, { text }) => sum + Number(/[\d,]+/.exec(text)![0].replaceAll(',', '')), 0);
    assert.ok(told.length > 0);
    assert.equal(dropped + instance.lines.length - told.length, 200 * 16_384);
  });

  test('are none after it is gone, and so is its folder', async () => {
    const instance = await instances.start('export default () => process.cwd()');
    await instance.ready;
    const { event } = await instance.handler(anEvent(), aContext());
    const home = Buffer.from(event!.data!).toString();
    assert.ok(existsSync(home));
    assert.equal(await instance.stop().then(() => instance.ended), 'exited with code 0');
    assert.equal(existsSync(home), false);
  });
});
