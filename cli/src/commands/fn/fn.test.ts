import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { FunctionView } from '@millrace/bus/admin/functions';

import { deadAddress, linesFrom, runMillrace, spawnMillrace, until } from '../../testing/millrace.ts';
import { sampleFunction, sampleRevision, startFakeFunctions } from './functions.fixture.ts';

const BROKEN = sampleFunction({
  namespace: 'shop',
  service: 'pricing',
  state: 'failing',
  reason: 'CrashLoop',
  message: 'it has ended with 1 three times\nTypeError: no',
  revisions: [
    sampleRevision({ name: 'pricing-00002', state: 'failing', instances: 0, inFlight: 0, desired: undefined }),
    sampleRevision({
      name: 'pricing-00001',
      state: 'retired',
      instances: 0,
      inFlight: 0,
      percent: 0,
      desired: undefined,
    }),
  ],
  notes: ['a limit of memory cannot be kept here'],
});
const SPLIT = sampleFunction({
  service: 'split',
  revisions: [
    sampleRevision({ name: 'split-00002', percent: 20, tags: ['next'] }),
    sampleRevision({ name: 'split-00001', percent: 80, ready: 1, desired: 1, inFlight: 1 }),
  ],
});
const started = () => startFakeFunctions([sampleFunction(), BROKEN, SPLIT]);

describe('millrace fn list', () => {
  test('shows revision, instances, calls in flight, state, and why not', async () => {
    await using fake = await started();
    const { code, stdout, stderr } = await fake.run(['list']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
      [
        ['NAME', 'REVISION', 'INSTANCES', 'IN FLIGHT', 'STATE', 'WHY'],
        ['agent', 'agent-00002', '2/3', '4', 'running'],
        [
          'shop/pricing',
          'pricing-00002',
          '0',
          '0',
          'failing',
          'CrashLoop: it has ended with 1 three times TypeError: no',
        ],
        ['split', 'split-00002 20%, split-00001 80%', '3/4', '5', 'running'],
      ],
    );
  });

  test('is also called ls and functions, and gives names that other commands take', async () => {
    await using fake = await started();
    const names = 'default/agent\nshop/pricing\ndefault/split\n';
    assert.equal((await fake.run(['ls', '-o', 'name'])).stdout, names);
    const functions = await runMillrace(['functions', '-o', 'name', '--admin', fake.admin]);
    assert.equal(functions.stdout, names);
    assert.equal((await fake.run(['list', '-n', 'shop', '-o', 'name'])).stdout, 'shop/pricing\n');
  });
});

describe('millrace fn describe', () => {
  test('shows addresses, code, revisions, scaling and names of variables', async () => {
    await using fake = await started();
    const { code, stdout } = await fake.run(['describe', 'split']);
    assert.equal(code, 0);
    for (const line of [
      /^Name: +default\/split$/m,
      /^By host: +http:\/\/split\.default\.svc\.cluster\.local /m,
      new RegExp(`^By path: +${fake.dataUrl}/functions/default/split$`, 'm'),
      /^Code: +node, \/code\/agent\.ts$/m,
      /^ {2}split-00002 +20 +next +running +2\/3 +4 +0 +\d+s$/m,
      /^ {2}Wanted: +3 of split-00002$/m,
      /^Variables: {2}GREETING, TOKEN$/m,
    ])
      assert.match(stdout, line);
    assert.doesNotMatch(stdout, /Last lines|What to do/);
  });

  test('shows what is wrong, what it wrote last, and what to do', async () => {
    await using fake = await started();
    fake.write({ text: 'on its way out', stream: 'stderr' });
    const { stdout } = await fake.run(['describe', 'shop/pricing']);
    assert.match(stdout, /^Message:\n {2}it has ended with 1 three times\n {2}TypeError: no$/m);
    assert.match(stdout, /^Notes:\n {2}a limit of memory cannot be kept here$/m);
    assert.match(stdout, /^Last lines:\n {2}TIME .*\n .* stderr .* on its way out$/m);
    assert.match(stdout, /^What to do:\n {2}mend .*\n {2}millrace fn logs shop\/pricing -f\n {2}millrace fn rollback/m);
  });

  test('gives programs all of it', async () => {
    await using fake = await started();
    const { stdout } = await fake.run(['describe', 'agent', '-o', 'json']);
    const view = JSON.parse(stdout) as FunctionView & { urls: { path: string } };
    assert.equal(view.revisions[0]!.desired, 3);
    assert.equal(view.urls.path, `${fake.dataUrl}/functions/default/agent`);
  });

  test('takes a namespace before the name or by its option, and not two of them', async () => {
    await using fake = await started();
    assert.equal((await fake.run(['describe', 'pricing', '-n', 'shop', '-o', 'name'])).stdout, 'shop/pricing\n');
    assert.equal((await fake.run(['describe', 'shop/pricing', '-n', 'other'])).code, 2);
    assert.equal((await fake.run(['describe', 'a/b/c'])).code, 2);
  });

  test('suggests the function that is meant', async () => {
    await using fake = await started();
    for (const [given, meant] of [
      ['agnt', 'default/agent'],
      ['pricing', 'shop/pricing'],
    ] as const) {
      const { code, stderr } = await fake.run(['describe', given]);
      assert.equal(code, 3);
      assert.equal(stderr, `millrace: there is no function default/${given}; did you mean ${meant}?\n`);
    }
  });
});

describe('millrace fn logs', () => {
  test('prints the last lines, with instance, stream and event', async () => {
    await using fake = await started();
    fake.write({ text: 'first' });
    fake.write({ text: 'second', eventId: 'e-1' });
    fake.write({ text: 'third \u001b[31m', stream: 'stderr', eventId: 'e-2' });
    const { stdout } = await fake.run(['logs', 'agent', '--lines', '2']);
    const [header, ...lines] = stdout.trimEnd().split('\n');
    assert.match(header!, /^TIME +INSTANCE +STREAM +EVENT +TEXT$/);
    assert.deepEqual(
      lines.map((line) => line.split(/ {2,}/).slice(1)),
      [
        ['1', 'stdout', 'e-1', 'second'],
        ['1', 'stderr', 'e-2', 'third \\u001b[31m'],
      ],
    );
    const one = await fake.run(['logs', 'agent', '--event', 'e-1', '-o', 'json']);
    assert.equal((JSON.parse(one.stdout) as { text: string }).text, 'second');
  });

  test('says so when there is nothing', async () => {
    await using fake = await started();
    const { code, stdout, stderr } = await fake.run(['logs', 'agent']);
    assert.deepEqual([code, stdout, stderr], [0, '', 'It has written nothing.\n']);
  });

  test('follows what is written, and lets go when nobody reads any more', async () => {
    await using fake = await started();
    fake.write({ text: 'before' });
    const child = spawnMillrace(['fn', 'logs', 'agent', '-f', '--event', 'e-1', '-o', 'json'], {
      MILLRACE_ADMIN: fake.admin,
    });
    const lines = linesFrom(child.stdout);
    await until(() => fake.followers === 1);
    fake.write({ text: 'about another', eventId: 'e-2' });
    fake.write({ text: 'about this', eventId: 'e-1' });
    const { value } = await lines.next();
    assert.equal((JSON.parse(value as string) as { text: string }).text, 'about this');
    child.kill();
    await until(() => fake.followers === 0);
  });
});

describe('millrace fn scale', () => {
  test('sets the bounds that are given, and resets both', async () => {
    await using fake = await started();
    assert.equal((await fake.run(['scale', 'agent', '--min', '1', '--max', '5'])).code, 0);
    await fake.run(['scale', 'agent', '--max', '5']);
    await fake.run(['scale', 'shop/pricing', '--reset']);
    assert.deepEqual(fake.asked, [
      'scale default/agent 1 5',
      'scale default/agent undefined 5',
      'scale shop/pricing null null',
    ]);
  });

  test('refuses what cannot be', async () => {
    await using fake = await started();
    const crossed = await fake.run(['scale', 'agent', '--min', '7', '--max', '5']);
    assert.deepEqual([crossed.code, crossed.stderr], [1, 'millrace: min: expected at most max, 5, got 7\n']);
    for (const args of [[], ['--min', '-1'], ['--min', 'x'], ['--reset', '--min', '1']]) {
      assert.equal((await fake.run(['scale', 'agent', ...args])).code, 2, args.join(' '));
    }
    assert.deepEqual(fake.asked, []);
  });
});

describe('millrace fn rollback', () => {
  test('says which revision has the calls now, and which had them', async () => {
    await using fake = await started();
    assert.equal(
      (await fake.run(['rollback', 'agent'])).stdout,
      'agent: all calls go to agent-00001 again (was -00002)\n',
    );
    assert.equal(
      (await fake.run(['rollback', 'split', '--to', 'split-00001'])).stdout,
      'split: all calls go to split-00001 again (was -00002 20%, -00001 80%)\n',
    );
    assert.equal(
      (await fake.run(['rollback', 'agent', '--to', 'agent-00002'])).stdout,
      'agent: all calls went to agent-00002 already\n',
    );
    const none = await fake.run(['rollback', 'agent', '--to', 'none']);
    assert.deepEqual([none.code, none.stderr], [1, 'millrace: it has not got a revision none\n']);
  });
});

test('every command of fn shows two examples, and says when nobody is there', async () => {
  const address = await deadAddress();
  for (const command of ['list', 'describe', 'logs', 'invoke', 'scale', 'rollback', 'new']) {
    const { stdout } = await runMillrace(['fn', command, '--help']);
    assert.equal([...stdout.matchAll(/^ {2}millrace fn /gm)].length, 2, stdout);
  }
  for (const args of [
    ['list'],
    ['describe', 'a'],
    ['logs', 'a'],
    ['invoke', 'a'],
    ['scale', 'a', '--min', '1'],
    ['rollback', 'a'],
  ]) {
    const { code, stderr } = await runMillrace(['fn', ...args, '--admin', address]);
    assert.equal(code, 5);
    assert.match(stderr, /^millrace: no millrace answers at/);
  }
});
