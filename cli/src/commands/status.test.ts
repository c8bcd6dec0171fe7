import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import {
  commandLine,
  deadAddress,
  environmentOf,
  NO_TERMINAL,
  runInTerminal,
  runMillrace,
  spawnMillrace,
  startMillrace,
  trigger,
} from '../testing/millrace.ts';

const BROKEN = trigger('lost', 'http://127.0.0.1:1/').replace('broker: default', 'broker: nowhere');

test('status shows the addresses, and each resource with Ready, reason and message', async () => {
  await using millrace = await startMillrace();
  await millrace.bus.apply(BROKEN);
  const { code, stdout, stderr } = await millrace.run(['status']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^Millrace: {2}0\.0\.0, process \d+, up for \d+s\n/);
  assert.match(stdout, new RegExp(`^Events: +${millrace.bus.url}\nAdmin: +${millrace.admin}\nData: +/`, 'm'));
  assert.match(stdout, /^NAMESPACE {3}NAME +READY {3}REASON +URL +MESSAGE$/m);
  assert.match(
    stdout,
    /^default +trigger\/lost +False {3}BrokerDoesNotExist +the Broker default\/nowhere is not declared$/m,
  );
  assert.match(stdout, /^default +broker\/default +True +http:\/\/127\.0\.0\.1:\d+\/default\/default$/m);
});

test('status gives programs all of it, or the names', async () => {
  await using millrace = await startMillrace();
  await millrace.bus.apply(BROKEN);
  const json = await millrace.run(['status', '-o', 'json']);
  const { dataUrl, resources } = JSON.parse(json.stdout) as { dataUrl: string; resources: { kind: string }[] };
  assert.equal(dataUrl, millrace.bus.url);
  assert.deepEqual(resources.map((it) => it.kind).toSorted(), ['Broker', 'Trigger']);
  const names = await millrace.run(['status', '-o', 'name']);
  assert.deepEqual(names.stdout.trimEnd().split('\n').toSorted(), ['broker/default/default', 'trigger/default/lost']);
});

test('status says so when nobody is there, without the password of the address', async () => {
  const address = await deadAddress();
  const { code, stdout, stderr } = await runMillrace(['status', '--admin', address.replace('//', '//me:hunter2@')]);
  assert.deepEqual([code, stdout], [5, '']);
  assert.equal(
    stderr,
    `millrace: no millrace answers at ${address}: start one with \`npm start\` or \`millrace up\`, or name its address with --admin\n`,
  );
});

test('status has colours on a terminal, and none with NO_COLOR', { skip: NO_TERMINAL }, async () => {
  await using millrace = await startMillrace();
  const environment = { MILLRACE_ADMIN: millrace.admin };
  const coloured = await runInTerminal(['status'], environment);
  assert.ok(coloured.shown.includes('\u001b[32mTrue\u001b[39m'), coloured.shown);
  const plain = await runInTerminal(['status'], { ...environment, NO_COLOR: '1' });
  assert.match(plain.shown, /broker\/default +True/);
  assert.ok(!plain.shown.includes('\u001b'), plain.shown);
});

const skip = process.platform === 'linux' ? false : 'no /dev/full on this platform';

test('output that cannot be written is a failure', { skip }, async () => {
  await using millrace = await startMillrace();
  const child = spawn('sh', ['-c', `${commandLine(['status'])} > /dev/full`], {
    env: environmentOf({ MILLRACE_ADMIN: millrace.admin }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 1);
  assert.match(said, /^millrace: the output cannot be written: ENOSPC/);
});

test('a reader that has enough is no failure', async () => {
  await using millrace = await startMillrace();
  const child = spawnMillrace(['status'], { MILLRACE_ADMIN: millrace.admin });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.deepEqual([code, said], [0, '']);
});
