import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { evaluatorForTests } from './evaluator.fixture.ts';
import { openEvaluator } from './evaluator.ts';
import type { EvaluatorOptions } from './evaluator.ts';
import { Worker } from './worker.ts';

const LOOP = '($again := function($n) { $again($n + 1) }; $again(0))';

describe('an expression', () => {
  const evaluator = evaluatorForTests();

  for (const [what, expression, input, expected] of [
    ['has a value', 'a + 1', '{"a":1}', { kind: 'value', json: '2' }],
    ['has a list', 'a.b', '{"a":[{"b":1},{"b":2}]}', { kind: 'value', json: '[1,2]' }],
    ['matches nothing', 'missing', '{}', { kind: 'nothing' }],
    [
      'fails with its own words',
      '$error("no customer")',
      '{}',
      { kind: 'failed', reason: 'no customer (at character 7)' },
    ],
    [
      'throws',
      '1 + "a"',
      '{}',
      { kind: 'failed', reason: 'The right side of the "+" operator must evaluate to a number (at character 3)' },
    ],
    ['is none', '{', '{}', { kind: 'failed', reason: 'Expected ":" before end of expression (at character 1)' }],
    [
      'has an input that is no JSON',
      '$',
      '{',
      { kind: 'failed', reason: "Expected property name or '}' in JSON at position 1 (line 1 column 2)" },
    ],
  ] as const) {
    test(`that ${what}`, async () => {
      assert.deepEqual(await evaluator.evaluate(expression, input), expected);
    });
  }

  test('remembers nothing of the event before', async () => {
    const expression = '($before := $seen; $seen := a; {"before": $before})';
    for (const input of ['{"a":1}', '{"a":2}']) {
      assert.deepEqual(await evaluator.evaluate(expression, input), { kind: 'value', json: '{}' });
    }
  });

  test('finds nothing of the machine: no environment, no files to write', async () => {
    const escapes = ['$env', '$process', '$.constructor', '$sum.constructor', '$.__proto__', '$globalThis'];
    for (const escape of escapes) {
      assert.deepEqual(await evaluator.evaluate(escape, '{}'), { kind: 'nothing' }, escape);
    }
  });

  test('may make as much JSON as an event of the longest data needs, and no more', async () => {
    const bounded = evaluatorForTests({ maxBytes: 1_000 });
    const longest = 6 * 1_000 + 65_536;
    const long = await bounded.evaluate(`$pad("", ${longest - 2}, "x")`, '{}');
    assert.equal(long.kind === 'value' ? long.json.length : long.kind, longest);
    assert.deepEqual(await bounded.evaluate(`$pad("", ${longest - 1}, "x")`, '{}'), {
      kind: 'failed',
      reason: `made ${longest + 1} bytes of JSON, and ${longest} are the most`,
    });
  });
});

describe('what an expression does to the process', () => {
  for (const [what, expression] of [
    ['a loop', LOOP],
    [
      'a regular expression that goes back and forth',
      '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)',
    ],
  ] as const) {
    test(`${what} ends with its time`, async () => {
      const evaluator = evaluatorForTests({ timeoutMs: 300 });
      const expected = { kind: 'failed', reason: 'timed out after 300 ms' };
      assert.deepEqual(await evaluator.evaluate(expression, '{}'), expected);
    });
  }

  test('what waits behind a loop goes on in another worker', async () => {
    let calls = 0;
    const environment: EvaluatorOptions['environment'] = {
      // Only the first is out of time.
      after(_milliseconds, call) {
        calls += 1;
        if (calls === 1) setImmediate(call);
        return () => {};
      },
    };
    const evaluator = evaluatorForTests({ workers: 1, timeoutMs: 5_000, environment });
    const evaluations = await Promise.all([LOOP, '1', '2', '3'].map((text) => evaluator.evaluate(text, '{}')));
    assert.deepEqual(evaluations, [
      { kind: 'failed', reason: 'timed out after 5 s' },
      ...['1', '2', '3'].map((json) => ({ kind: 'value', json })),
    ]);
  });

  // The first grows bit by bit, the others ask for more than all at once, which ends a process with all its threads.
  for (const [what, expression] of [
    ['grows', '($grow := function($list) { $grow($append($list, $list)) }; $grow([1..1000]))'],
    ['never comes back', '($deeper := function($n) { $deeper($n + 1) + 1 }; $deeper(0))'],
    ['makes one huge list', '$count($split($pad("", 100000000, "a,"), ","))'],
    ['makes one huge text', '$length($base64encode($pad("", 200000000, "a")))'],
  ] as const) {
    test(`an expression that ${what} is told that it used too much memory, and the next one is evaluated`, async () => {
      const evaluator = evaluatorForTests({ memoryMb: 64, workers: 1 });
      const expected = { kind: 'failed', reason: 'used more than 64 MiB' };
      assert.deepEqual(await evaluator.evaluate(expression, '{}'), expected);
      assert.deepEqual(await evaluator.evaluate('1', '{}'), { kind: 'value', json: '1' });
    });
  }
});

describe('the workers', () => {
  test('start with the first evaluation, are as many as are allowed, and mix nothing up', async () => {
    const evaluator = evaluatorForTests({ workers: 2 });
    await until(() => runningProcesses() === 0);
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    let most = 0;
    const evaluations = await Promise.all(
      numbers.map(async (number) => {
        const evaluation = await evaluator.evaluate(number % 2 === 0 ? 'n' : 'n + 0', `{"n":${number}}`);
        most = Math.max(most, runningProcesses());
        return evaluation;
      }),
    );
    assert.deepEqual(
      evaluations,
      numbers.map((number) => ({ kind: 'value', json: String(number) })),
    );
    assert.equal(most, 2);
  });

  test('end when they have had nothing to do for a while, and start again', async () => {
    const waiting: (() => void)[] = [];
    const environment: EvaluatorOptions['environment'] = {
      after(milliseconds, call) {
        if (milliseconds === 30_000) waiting.push(call);
        return () => waiting.splice(waiting.indexOf(call), 1);
      },
    };
    const evaluator = evaluatorForTests({ workers: 1, environment });
    for (const _ of [1, 2]) {
      assert.equal((await evaluator.evaluate('1', '{}')).kind, 'value');
      await until(() => waiting.length === 1);
      assert.equal(runningProcesses(), 1);
      waiting[0]!();
      waiting.length = 0;
      await until(() => runningProcesses() === 0);
    }
  });

  test('go on when the terminal is interrupted; ended by force, they are no fault of the expression', async () => {
    const environment = { after: () => () => {} };
    const worker = new Worker({ timeoutMs: 60_000, memoryMb: 64, longestResultBytes: 1_000, environment });
    const one = { expression: '1', input: '{}' };
    assert.equal((await worker.run(one)).kind, 'value');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.kill(worker.pid!, signal);
      assert.equal((await worker.run(one)).kind, 'value', signal);
    }
    const looping = worker.run({ expression: LOOP, input: '{}' });
    process.kill(worker.pid!, 'SIGKILL');
    const expected = { kind: 'unavailable', reason: 'its process ended with SIGKILL' };
    assert.deepEqual(await looping, expected);
    assert.deepEqual(await worker.run(one), expected);
    await worker.close();
  });

  for (const [what, path] of [
    ['is told later', '/there/is/no/node'],
    ['is thrown at once', '\0'],
  ] as const) {
    test(`that cannot be started are no fault of the expression either, when that ${what}`, async () => {
      const { execPath } = process;
      const evaluator = evaluatorForTests();
      try {
        process.execPath = path;
        const evaluations = await Promise.all(['1', '2', '3'].map((text) => evaluator.evaluate(text, '{}')));
        for (const evaluation of evaluations) {
          assert.equal(evaluation.kind, 'unavailable');
          assert.match((evaluation as { reason: string }).reason, /^its process cannot be started \(.+\)$/);
        }
      } finally {
        process.execPath = execPath;
      }
      assert.deepEqual(await evaluator.evaluate('1', '{}'), { kind: 'value', json: '1' });
    });
  }

  test('whose starter has gone end, also out of a loop', async () => {
    for (const expression of ['1', LOOP]) {
      const child = fork(join(import.meta.dirname, 'jsonata-process.ts'), ['1000', '100'], {
        serialization: 'advanced',
      });
      await once(child, 'message');
      await new Promise((resolve) => {
        child.send({ expression, input: '{}' }, resolve);
      });
      const exited = once(child, 'exit');
      child.disconnect();
      assert.deepEqual(await exited, [0, null]);
    }
  });
});

describe('who waits', () => {
  test('stops waiting when its signal says so, before its turn and in it', async () => {
    const evaluator = evaluatorForTests({ workers: 1 });
    const stop = new AbortController();
    const waits = [LOOP, '1'].map((text) => evaluator.evaluate(text, '{}', stop.signal));
    const gone = new Error('gone');
    stop.abort(gone);
    for (const wait of waits) await assert.rejects(wait, gone);
    await assert.rejects(evaluator.evaluate('1', '{}', stop.signal), gone);
  });

  test('is told when the evaluator closes: at work, in the queue, and after', async () => {
    const evaluator = openEvaluator({ workers: 1, maxBytes: 1_000 });
    const waits = [LOOP, '1'].map((text) => evaluator.evaluate(text, '{}'));
    await evaluator.close();
    await until(() => runningProcesses() === 0);
    for (const wait of [...waits, evaluator.evaluate('1', '{}')]) {
      assert.deepEqual(await wait, { kind: 'unavailable', reason: 'the evaluator was closed' });
    }
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** How many processes this one has started and not seen the end of. */
function runningProcesses(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
}
