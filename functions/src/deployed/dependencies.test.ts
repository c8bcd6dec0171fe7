import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { failureOf, until } from '../test-support.ts';
import { answerOf, heldClock, openBench } from './deployed.fixture.ts';
import type { Bench } from './deployed.fixture.ts';

const limits = { timeout: 20_000 };

/** A `python3` that installs nothing, and waits until the file `go` says how it ends. */
const PYTHON = `#!/bin/sh
[ "$1" = -c ] && exit 0
echo "looking for tiny, key is $PIP_KEY"
while [ ! -f "$(dirname "$0")/../go" ]; do sleep 0.01; done
grep -q well "$(dirname "$0")/../go" || { echo "no tiny anywhere" >&2; exit 1; }
`;

function openWithPython() {
  const clock = heldClock();
  const lines: string[] = [];
  const environment = { PATH: '', PIP_KEY: 'pip-secret' };
  const bench = openBench({ environment, clock, log: (line) => lines.push(line.text) });
  environment.PATH = `${join(bench.folder, 'bin')}:/usr/bin:/bin`;
  return { bench, clock, lines };
}

/** Opens the bench with that python, once it is there. */
async function prepare(): Promise<ReturnType<typeof openWithPython>> {
  const opened = openWithPython();
  opened.bench.write('bin/python3', PYTHON, 0o755);
  // The environment is read when functions are opened.
  await opened.bench.restart();
  opened.bench.write('functions/agent.py', 'one');
  return opened;
}

const declaredWithSecret = (bench: Bench) => bench.declared({ secretValues: ['pip-secret'] });

describe('packages of a function', limits, () => {
  test('are installed before its first call, which waits for them as for a cold start', async () => {
    const { bench, lines } = await prepare();
    await using _ = bench;
    bench.write('functions/requirements.txt', 'tiny\n');
    const running = bench.functions.start(declaredWithSecret(bench));
    const call = answerOf(running);
    await until(() => lines.length === 2);
    assert.deepEqual(
      [running.status().state, running.status().reason, running.status().waiting],
      ['starting', 'Installing', 1],
    );
    assert.deepEqual(lines, ['installing 1 package of requirements.txt …', 'looking for tiny, key is ***']);
    assert.equal(bench.runtime.begun.length, 0);
    bench.write('go', 'well');
    assert.equal(await call, 'one');
    const { code } = bench.runtime.begun[0]!;
    assert.ok('packages' in code && existsSync(code.packages!), JSON.stringify(code));
    assert.deepEqual([running.status().state, running.status().reason], ['running', '']);
  });

  test('that cannot be installed are the reason why it fails, and are tried again after a while', async () => {
    const { bench, clock, lines } = await prepare();
    await using _ = bench;
    bench.write('functions/requirements.txt', 'tiny\n');
    bench.write('go', 'ill');
    const running = bench.functions.start(declaredWithSecret(bench));
    const failure = await failureOf(answerOf(running));
    assert.match(failure.message, /cannot start: python3 exited with code 1[^]*no tiny anywhere/);
    const { state, reason, message } = running.status();
    assert.deepEqual([state, reason], ['failing', 'DependenciesNotInstalled']);
    assert.match(message, /^its packages could not be installed: [^]*key is \*\*\*[^]*no tiny anywhere/);
    bench.write('go', 'well');
    clock.advance(30_000);
    await until(() => lines.includes('installed the packages of requirements.txt'));
    // Its instances have their own waits after a failure.
    clock.advance(30_000);
    assert.equal(await answerOf(running), 'one');
    assert.equal(running.status().reason, '');
  });

  test('that cannot be installed for a change leave the calls to the revision before', async () => {
    const { bench, clock } = await prepare();
    await using _ = bench;
    const running = bench.functions.start(declaredWithSecret(bench));
    bench.write('functions/requirements.txt', 'tiny\n');
    bench.write('functions/agent.py', 'two');
    bench.write('go', 'ill');
    bench.functions.lookAgain();
    await until(() => running.status().reason === 'DependenciesNotInstalled');
    assert.equal(await answerOf(running), 'one');
    bench.write('go', 'well');
    clock.advance(60_000);
    await until(() => bench.news.some((line) => line.includes('agent-00002 is ready')));
    assert.deepEqual([running.status().reason, await answerOf(running)], ['', 'two']);
  });
});
