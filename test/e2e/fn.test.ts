import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import type { FunctionView } from '@millrace/bus/admin/functions';

import { eventually, runMillrace, startMillrace, testFolder } from '../support/process.ts';

const MAIN = join(import.meta.dirname, '../../cli/src/main.ts');

const MANIFEST = ['upper', 'wrap']
  .map(
    (name) => `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { containers: [{ image: ${name} }] } } }
`,
  )
  .join('');

const upper = (ending: string) => `
export default (event, { logger, failure }) => {
  if (event.data === 'bad') throw failure('it is bad', { status: 422 });
  logger.info('at work', { subject: event.subject });
  return { type: 'upper.done', data: JSON.stringify(event.data).toUpperCase() + '${ending}' };
};
`;

test('functions are looked at, called, followed, scaled and rolled back from the command line', async () => {
  using folder = testFolder();
  const manifest = folder.write('flow.yaml', MANIFEST);
  folder.write('functions/upper.mjs', upper('!'));
  folder.write('functions/wrap.mjs', 'export default ({ data }) => ({ type: "wrapped", data: `(${data})` });');
  await using millrace = await startMillrace({ data: folder.at('data'), manifests: [manifest] });
  const environment = { MILLRACE_ADMIN: millrace.admin };
  const fn = (...args: string[]) => runMillrace(['fn', ...args], { environment });
  const spawned = (script: string) =>
    spawn('sh', ['-c', script], {
      env: { ...process.env, ...environment, FN: `${process.execPath} ${MAIN} fn` },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });

  assert.match((await fn('list')).stdout, /^upper +(?:upper-00001|-) +0 +0 +idle$/m);

  // Text, JSON, an event.
  const cold = await fn('invoke', 'upper', 'hello', '-v');
  assert.deepEqual([cold.code, cold.stdout], [0, '"HELLO"!']);
  assert.match(cold.stderr, /^200 OK in \d+ ms, cold, upper-00001, instance \S+, an event upper\.done\n$/);
  const warm = await fn('invoke', 'upper', '{"a":"b"}', '-v');
  assert.deepEqual([warm.code, warm.stdout], [0, '{"A":"B"}!']);
  assert.match(warm.stderr, /, warm, /);
  const asEvent = ['--type', 'upper.asked', '--subject', 's-1', '--id', 'e-1'];
  assert.equal((await fn('invoke', 'upper', 'hello', ...asEvent)).stdout, '"HELLO"!');
  const bad = await fn('invoke', 'upper', 'bad');
  assert.deepEqual([bad.code, bad.stderr], [1, 'millrace: default/upper answered 422: it is bad\n']);
  assert.equal((await fn('invoke', 'uper', 'x')).code, 3);

  // A pipe.
  const piped = spawned('$FN invoke upper hello | $FN invoke wrap');
  assert.equal(await text(piped.stdout), '("HELLO"!)');

  // Without waiting.
  const waited = await fn('invoke', 'upper', 'hello', '--async', '--wait');
  assert.deepEqual([waited.code, waited.stdout], [0, '"HELLO"!'], waited.stderr);

  // What it writes, as it writes it.
  const following = spawned('exec $FN logs upper -f --lines 0 -o json');
  try {
    const lines = createInterface({ input: following.stdout })[Symbol.asyncIterator]();
    const first = lines.next();
    // It is not told when the follower is there: what it missed comes again.
    const ended = { done: false };
    const repeated = (async () => {
      while (!ended.done) await fn('invoke', 'upper', 'x', '--type', 't', '--id', 'e-2', '--subject', 'seen');
    })();
    const { value } = await first;
    ended.done = true;
    await repeated;
    const line = JSON.parse(value as string) as { text: string; eventId: string; function: string };
    assert.deepEqual([line.function, line.eventId], ['default/upper', 'e-2']);
    assert.match(line.text, /at work.*seen/);
  } finally {
    const exit = once(following, 'exit');
    process.kill(-following.pid!, 'SIGKILL');
    await exit;
  }
  const aboutOne = await fn('logs', 'upper', '--event', 'e-1');
  assert.match(aboutOne.stdout, /stdout +e-1 +at work.*s-1/);

  // How many.
  assert.match((await fn('scale', 'upper', '--min', '2', '--max', '4')).stdout, /^upper: from 2 to 4 instances$/m);
  const view = () => millrace.ask<FunctionView>('/api/functions/default/upper');
  await eventually(async () => ((await view()).revisions[0]!.instances === 2 ? true : undefined));
  assert.match((await fn('describe', 'upper')).stdout, /^ {2}Bounds: +from 2 to 4 instances$/m);
  assert.equal((await fn('scale', 'upper', '--reset')).code, 0);
  assert.equal((await view()).scaling.minScale, 0);

  // The next revision, and back.
  folder.write('functions/upper.mjs', upper('?'));
  await eventually(async () =>
    (await view()).revisions.some((it) => it.name === 'upper-00002' && it.percent === 100) ? true : undefined,
  );
  assert.equal((await fn('invoke', 'upper', 'hello')).stdout, '"HELLO"?');
  const back = await fn('rollback', 'upper');
  assert.equal(back.stdout, 'upper: all calls go to upper-00001 again (was -00002)\n', back.stderr);
  assert.equal((await fn('invoke', 'upper', 'hello')).stdout, '"HELLO"!');
  assert.match((await fn('list')).stdout, /^upper +upper-00001 /m);
  const described = (await fn('describe', 'upper')).stdout;
  assert.match(described, /^ {2}upper-00001 +100 \(rolled back\)/m);
  assert.match(described, new RegExp(`^By path: +${millrace.url}/functions/default/upper$`, 'm'));
  assert.equal((await millrace.stop()).code, 0);
});
