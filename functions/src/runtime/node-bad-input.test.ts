import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, beforeEach, describe, test } from 'node:test';

import { aContext, anEvent, failureOf, textOf, until } from '../test-support.ts';
import { openWorkbench } from './workbench.fixture.ts';

// What one call does, `subject` says; every other answers 'fine'.
const onBad = (bad: string): string => `
  export default async (event) => {
    if (event.subject !== 'bad') return 'fine';
    console.log('begun');
    ${bad}
  }`;

describe('a Node function that', () => {
  const bench = openWorkbench();
  after(() => bench.close());
  beforeEach(() => {
    bench.lines.length = 0;
  });
  const lines = (): string[] => bench.lines.map(({ text }) => text);

  for (const [does, bad, reason] of [
    ['throws', `throw new RangeError('too far')`, /500: RangeError: too far/],
    ['throws nothing', `throw undefined`, /500: Error: undefined/],
    ['rejects', `await Promise.reject('no')`, /500: Error: 'no'/],
    ['returns what is no event', `return { type: 'x', time: {} }`, /reply\.time: expected a string/],
    ['returns a circle', `const circle = {}; circle.circle = circle; return circle`, /circular structure/i],
  ] as const) {
    test(`${does} fails that call only`, async () => {
      const piece = await bench.node(onBad(bad));
      assert.match((await failureOf(piece.handler(anEvent({ subject: 'bad' }), aContext()))).message, reason);
      assert.equal(textOf((await piece.handler(anEvent(), aContext())).event), 'fine');
      await piece.kill();
    });
  }

  for (const [does, bad, reason] of [
    ['exits', `process.exit(3)`, /exited with code 3/],
    ['leaves a promise rejected', `Promise.reject(new Error('forgotten')); await new Promise(() => {})`, /forgotten/],
    [
      'throws where nobody catches',
      `setTimeout(() => { throw new Error('late') }); await new Promise(() => {})`,
      /late/,
    ],
    ['kills itself', `process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})`, /was ended by SIGSEGV/],
  ] as const) {
    test(`${does} says so in the failure of what it had`, async () => {
      const piece = await bench.node(onBad(bad));
      const failure = await failureOf(piece.handler(anEvent({ subject: 'bad' }), aContext()));
      assert.equal(failure.status, undefined);
      assert.match(failure.message, reason);
    });
  }

  test('never returns, blocks its loop or ignores SIGTERM ends when it is killed', async () => {
    for (const bad of ['await new Promise(() => {})', 'for (;;);', `process.on('SIGTERM', () => {}); for (;;);`]) {
      bench.lines.length = 0;
      const piece = await bench.node(onBad(bad));
      const call = failureOf(piece.handler(anEvent({ subject: 'bad' }), aContext()));
      await until(() => lines().includes('begun'));
      await piece.kill();
      assert.match((await call).message, /was ended by SIGKILL/);
    }
  });

  test('starts others takes them along', async () => {
    const piece = await bench.node(
      onBad(`
        const { spawn } = await import('node:child_process');
        console.log('child ' + spawn('sleep', ['1000'], { stdio: 'inherit' }).pid);
        await new Promise(() => {});`),
    );
    const call = failureOf(piece.handler(anEvent({ subject: 'bad' }), aContext()));
    await until(() => lines().some((line) => line.startsWith('child ')));
    const child = Number(
      lines()
        .find((line) => line.startsWith('child '))!
        .slice(6),
    );
    await piece.kill();
    await call;
    await until(() => {
      try {
        return !process.kill(child, 0);
      } catch {
        return true;
      }
    });
  });

  test('prints 200 MB does not make us large', async () => {
    const piece = await bench.node(
      onBad(`
        const much = 'x'.repeat(1024 * 1024);
        for (let i = 0; i < 200; i += 1) process.stdout.write(much);
        process.stdout.write('\\n');
        return 'printed';`),
    );
    let most = 0;
    const before = process.memoryUsage.rss();
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    const { event } = await piece.handler(anEvent({ subject: 'bad' }), aContext());
    clearInterval(watch);
    assert.equal(textOf(event), 'printed');
    await piece.stop();
    assert.ok(lines().some((line) => line.includes('dropped')));
    assert.ok(most - before < 150 * 1024 * 1024, `${most - before} bytes more`);
  });

  test('is deleted meanwhile goes on, and cannot be begun again', async () => {
    const piece = await bench.node(onBad(''), { name: 'deleted.mjs' });
    const file = `${bench.folder}/deleted.mjs`;
    rmSync(file);
    assert.equal(textOf((await piece.handler(anEvent(), aContext())).event), 'fine');
    await assert.rejects(bench.begin({ language: 'node', file }).ready, /deleted\.mjs/);
  });

  for (const [name, code, reason] of [
    ['syntax.mjs', 'const a = 1;\nconst b = = 2;', /SyntaxError: Unexpected token '=' \(.*\/syntax\.mjs:2\)/],
    ['syntax.cjs', 'const a = 1;\nconst b = = 2;', /SyntaxError: Unexpected token '=' \(.*\/syntax\.cjs:2\)/],
    ['syntax.ts', 'const a: 1 = 1;\nconst b = = 2;', /SyntaxError: Expression expected \(.*\/syntax\.ts:2\)/],
    ['enum.ts', 'let a;\nenum X { A }', /enum is not supported .* \(.*\/enum\.ts:2\)/],
    ['beside.mjs', `import './broken.mjs'; export default () => {};`, /SyntaxError: .*\(.*\/broken\.mjs:3\)/],
    ['throws.mjs', `\nnull.x;`, /TypeError: Cannot read properties of null .*\(.*\/throws\.mjs:2\)/],
    ['export.mjs', `import { nope } from 'node:fs';`, /does not provide an export named 'nope' \(.*\/export\.mjs:1\)/],
    [
      'late.mjs',
      `setTimeout(() => { throw new Error('late') }); await new Promise(() => {});`,
      /nobody caught: Error: late/,
    ],
    ['exits.mjs', `process.exit(5)`, /exited with code 5/],
  ] as const) {
    test(`cannot be loaded (${name}) says where`, async () => {
      bench.write('broken.mjs', '\n\nexport default {,}');
      const piece = bench.begin({ language: 'node', file: bench.write(name, code) });
      await assert.rejects(piece.ready, reason);
      await piece.ended;
    });
  }

  test('is a copy is named as its author knows it', async () => {
    const file = bench.write('copies/1.mjs', `throw new Error('no')`);
    const origin = `${bench.folder}/handler.mjs`;
    await assert.rejects(bench.begin({ language: 'node', file, origin }).ready, /Error: no \(.*\/handler\.mjs:1\)/);
  });
});
