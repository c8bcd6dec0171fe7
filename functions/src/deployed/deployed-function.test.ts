import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { failureOf, until } from '../test-support.ts';
import type { Declared, Traffic } from './declared.ts';
import { answerOf, openBench, requestOf } from './deployed.fixture.ts';
import type { Bench } from './deployed.fixture.ts';

const FILE = 'functions/agent.mjs';
const limits = { timeout: 20_000 };

/** Starts `default/agent` over a file of this text. */
function start(bench: Bench, text: string, changes: Partial<Declared> = {}) {
  bench.write(FILE, text);
  return bench.functions.start(bench.declared(changes));
}

const agentOf = (bench: Bench) => bench.functions.describe('default/agent')!;
const revisionsOf = (bench: Bench) =>
  Object.fromEntries(agentOf(bench).revisions.map(({ name, percent }) => [name, percent]));
/** Changes the code, and waits until something has come of it. */
async function change(bench: Bench, text: string): Promise<void> {
  const before = bench.news.length;
  bench.write(FILE, text);
  bench.functions.lookAgain();
  await until(() => bench.news.length > before);
}

const target = (percent: number, revisionName?: string, tag?: string): Traffic => ({ revisionName, percent, tag });

describe('a deployed function', limits, () => {
  test('begins nothing for its first revision before the first call', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    assert.deepEqual([running.status().state, bench.runtime.begun.length], ['idle', 0]);
    assert.equal(await answerOf(running), 'one');
    assert.deepEqual(revisionsOf(bench), { 'agent-00001': 100 });
  });

  test('does nothing when it is declared again as it is', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    running.change(bench.declared());
    bench.functions.lookAgain();
    assert.deepEqual([bench.runtime.begun.length, Object.keys(revisionsOf(bench))], [0, ['agent-00001']]);
  });

  test('gives calls to a changed revision only once that is ready', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    await answerOf(running);
    const gate = Promise.withResolvers<void>();
    bench.runtime.gate = gate.promise;
    bench.write(FILE, 'two');
    bench.functions.lookAgain();
    await until(() => bench.runtime.begun.length === 2);
    assert.equal(await answerOf(running), 'one');
    gate.resolve();
    await until(() => bench.news.length === 1);
    assert.deepEqual(bench.news, ['agent: revision agent-00002 is ready and has the traffic']);
    assert.equal(await answerOf(running), 'two');
    await until(() => bench.runtime.living === 1);
  });

  test('lets a call finish on the revision that it went to, also when its file is another one now', async () => {
    await using bench = openBench();
    const running = start(bench, 'hold one');
    const call = answerOf(running);
    await until(() => bench.runtime.held.length === 1);
    await change(bench, 'two');
    assert.equal(await answerOf(running), 'two');
    assert.equal(running.status().inFlight, 1);
    bench.runtime.held[0]!();
    assert.equal(await call, 'hold one');
    await until(() => running.status().instances === 1);
  });

  test('goes on with the revision before when the next cannot start, and says why; mended, it moves', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    await answerOf(running);
    await change(bench, 'broken two');
    const { state, reason, message } = running.status();
    assert.deepEqual([state, reason], ['running', 'RevisionFailed']);
    assert.equal(message, 'revision agent-00002 cannot start: SyntaxError in broken two; agent-00001 goes on serving');
    assert.equal(await answerOf(running), 'one');
    const begun = bench.runtime.begun.length;
    bench.functions.lookAgain();
    assert.equal(bench.runtime.begun.length, begun, 'the same is not tried again');
    await change(bench, 'three');
    assert.deepEqual([running.status().reason, await answerOf(running)], ['', 'three']);
    assert.deepEqual(revisionsOf(bench), { 'agent-00003': 100, 'agent-00001': 0 });
  });

  test('is what it was when a change that cannot start is taken back', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    await change(bench, 'broken two');
    bench.write(FILE, 'one');
    bench.functions.lookAgain();
    assert.deepEqual([running.status().reason, await answerOf(running)], ['', 'one']);
    assert.deepEqual(revisionsOf(bench), { 'agent-00001': 100 });
  });

  test('begins a revision for a change of the template', async () => {
    await using bench = openBench();
    const running = start(bench, 'model $MODEL', { environment: { MODEL: 'small' } });
    assert.equal(await answerOf(running), 'model small');
    running.change(bench.declared({ environment: { MODEL: 'large' } }));
    await until(() => bench.news.length === 1);
    assert.equal(await answerOf(running), 'model large');
    assert.equal(agentOf(bench).revisions.length, 2);
  });

  test('takes what changes a moment later in the place of what has not come up yet', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    const gate = Promise.withResolvers<void>();
    bench.runtime.gate = gate.promise;
    bench.write(FILE, 'two');
    bench.functions.lookAgain();
    await until(() => bench.runtime.begun.length === 1);
    bench.write(FILE, 'three');
    bench.functions.lookAgain();
    gate.resolve();
    await until(() => bench.news.length === 1);
    assert.deepEqual(bench.news, ['agent: revision agent-00003 is ready and has the traffic']);
    assert.equal(await answerOf(running), 'three');
    assert.deepEqual(Object.keys(revisionsOf(bench)), ['agent-00003', 'agent-00001']);
  });

  test('is unavailable while there is no code, and says where it looked; it heals when there is', async () => {
    await using bench = openBench();
    const running = bench.functions.start(bench.declared());
    assert.deepEqual([running.status().state, running.status().reason], ['unavailable', 'CodeNotFound']);
    const failure = await failureOf(answerOf(running));
    assert.equal(failure.status, 503);
    assert.match(failure.message, /looked at .*functions\/agent/);
    assert.ok(bench.functions.folders().includes(join(bench.folder, 'functions')));
    bench.write(FILE, 'one');
    bench.functions.lookAgain();
    assert.equal(await answerOf(running), 'one');
  });

  test('goes on when its code is deleted, and says so', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    rmSync(join(bench.folder, FILE));
    bench.functions.lookAgain();
    assert.deepEqual([await answerOf(running), running.status().reason], ['one', 'CodeNotFound']);
  });

  test('refuses a revision name that has other content, and goes on', async () => {
    await using bench = openBench();
    const running = start(bench, 'one', { revisionName: 'agent-first' });
    bench.write(FILE, 'two');
    bench.functions.lookAgain();
    assert.match(running.status().message, /revision names must be unique: default\/agent has a revision agent-first/);
    assert.equal(await answerOf(running), 'one');
    running.change(bench.declared({ revisionName: 'agent-second' }));
    await until(() => bench.news.length === 1);
    assert.deepEqual([running.status().reason, revisionsOf(bench)], ['', { 'agent-second': 100, 'agent-first': 0 }]);
  });

  test('is asked for as much as its revisions have room for', async () => {
    await using bench = openBench();
    const running = start(bench, 'one', {
      concurrency: 2,
      scaling: { ...bench.declared().scaling, maxScale: 3 },
    });
    assert.equal(running.room(), 6);
    await change(bench, 'two');
    running.change({ ...bench.declared(), ...templateOf(3), traffic: [target(50, 'agent-00001'), target(50)] });
    assert.equal(running.room(), 12);
    function templateOf(maxScale: number) {
      return { concurrency: 2, scaling: { ...bench.declared().scaling, maxScale } };
    }
  });
});

describe('traffic', limits, () => {
  const two = async (bench: Bench, traffic: Traffic[]) => {
    const running = start(bench, 'one');
    await change(bench, 'two');
    running.change(bench.declared({ traffic }));
    return running;
  };

  test('goes by percent and by tag', async () => {
    const chances = [0.09, 0.1, 0.99];
    await using bench = openBench({ random: () => chances.shift()! });
    const running = await two(bench, [target(10, 'agent-00001', 'old'), target(90)]);
    assert.deepEqual(
      [await answerOf(running), await answerOf(running), await answerOf(running)],
      ['one', 'two', 'two'],
    );
    assert.equal(await requestOf(running, 'old'), 'agent-00001: one');
  });

  test('gives a revision without a percentage what asks for its tag, and nothing else', async () => {
    await using bench = openBench();
    const running = await two(bench, [target(100), target(0, 'agent-00001', 'old')]);
    assert.deepEqual(
      [await requestOf(running), await requestOf(running, 'old')],
      ['agent-00002: two', 'agent-00001: one'],
    );
    const failure = await failureOf(requestOf(running, 'new'));
    assert.deepEqual(
      [failure.status, failure.message],
      [404, 'default/agent has no revision of the tag new; its tags: old'],
    );
  });

  test('stays with a named revision when the code changes', async () => {
    await using bench = openBench();
    const running = await two(bench, [target(100, 'agent-00001')]);
    await change(bench, 'three');
    assert.match(bench.news.at(-1)!, /agent-00003 is ready and has 0 % of the traffic/);
    assert.equal(await answerOf(running), 'one');
  });

  test('names what is not there, and gives its part to the latest', async () => {
    await using bench = openBench();
    const running = await two(bench, [target(100, 'agent-00009')]);
    const { reason, message } = running.status();
    assert.equal(reason, 'RevisionMissing');
    assert.equal(
      message,
      'spec.traffic names agent-00009, which is not there (there are: agent-00001, agent-00002); their part goes to the latest',
    );
    assert.equal(await answerOf(running), 'two');
  });

  test('does not go to a named revision before that is ready', async () => {
    await using bench = openBench();
    const running = start(bench, 'one', { revisionName: 'agent-a' });
    const gate = Promise.withResolvers<void>();
    bench.runtime.gate = gate.promise;
    bench.write(FILE, 'two');
    running.change(bench.declared({ revisionName: 'agent-b', traffic: [target(100, 'agent-b')] }));
    await until(() => bench.runtime.begun.length === 1);
    assert.deepEqual([running.status().reason, revisionsOf(bench)], ['', { 'agent-b': 0, 'agent-a': 100 }]);
    gate.resolve();
    await until(() => bench.news.length === 1);
    assert.equal(await answerOf(running), 'two');
  });
});

describe('what is kept', limits, () => {
  test('a restart goes on with the revision that it had', async () => {
    await using bench = openBench();
    start(bench, 'one');
    await change(bench, 'two');
    await bench.restart();
    const running = bench.functions.start(bench.declared());
    assert.deepEqual(revisionsOf(bench), { 'agent-00002': 100, 'agent-00001': 0 });
    assert.deepEqual([running.status().instances, await answerOf(running)], [0, 'two']);
  });

  test('a change while nothing ran gets the calls at once, and the revision before has them when it cannot start', async () => {
    await using bench = openBench();
    start(bench, 'one');
    await bench.restart();
    const running = start(bench, 'two');
    assert.equal(await answerOf(running), 'two');
    await bench.restart();
    const broken = start(bench, 'broken');
    await until(() => broken.status().reason === 'RevisionFailed');
    assert.equal(await answerOf(broken), 'two');
    await bench.restart();
    const again = bench.functions.start(bench.declared());
    await until(() => again.status().reason === 'RevisionFailed');
    assert.equal(agentOf(bench).revisions[0]!.name, 'agent-00003', 'what failed before is the same revision');
  });

  test('a change while nothing ran may be changed again before it is ready', async () => {
    await using bench = openBench();
    start(bench, 'one');
    await bench.restart();
    const gate = Promise.withResolvers<void>();
    bench.runtime.gate = gate.promise;
    const running = start(bench, 'two');
    bench.write(FILE, 'broken three');
    bench.functions.lookAgain();
    gate.resolve();
    await until(() => running.status().reason === 'RevisionFailed');
    assert.match(running.status().message, /agent-00003 cannot start: .*; agent-00001 goes on serving/);
    assert.equal(await answerOf(running), 'one');
    assert.deepEqual(Object.keys(revisionsOf(bench)), ['agent-00003', 'agent-00001']);
  });

  test('the code of a revision is a copy: what it imports relatively, too', async () => {
    await using bench = openBench();
    bench.write('functions/more/text.mjs', 'export const text = 1;');
    start(bench, `one // import { text } from './more/text.mjs'`);
    const { code } = agentOf(bench);
    assert.equal(code!.file, join(bench.folder, FILE));
    const copy = join(bench.folder, 'state/default/agent/revisions/agent-00001/code/functions');
    assert.ok(existsSync(join(copy, 'agent.mjs')));
    assert.ok(existsSync(join(copy, 'more/text.mjs')));
    bench.write('functions/more/text.mjs', 'export const text = 2;');
    bench.functions.lookAgain();
    await until(() => bench.news.length === 1);
    assert.equal(agentOf(bench).revisions.length, 2);
  });

  test('no secret is in it', async () => {
    await using bench = openBench();
    const secret = 'a-very-secret-value';
    const variables = { KEY: secret, URL: `https://${secret}@host`, MODEL: 'small' };
    const running = start(bench, '$KEY', { environment: variables, secretValues: [secret] });
    assert.equal(await answerOf(running), secret);
    const file = join(bench.folder, 'state/default/agent/revisions/agent-00001/revision.json');
    const text = readFileSync(file, 'utf8');
    assert.ok(!text.includes(secret));
    assert.match(text, /"MODEL": "small"/);
    assert.deepEqual(agentOf(bench).environment, ['KEY', 'MODEL', 'URL']);
    assert.ok(!JSON.stringify(agentOf(bench)).includes(secret));
  });

  test('a secret of another value is no other revision, but its instances are others', async () => {
    await using bench = openBench();
    const running = start(bench, '$KEY', { environment: { KEY: 'first-secret' }, secretValues: ['first-secret'] });
    assert.equal(await answerOf(running), 'first-secret');
    running.change(bench.declared({ environment: { KEY: 'other-secret' }, secretValues: ['other-secret'] }));
    await until(() => bench.news.length === 1);
    assert.equal(await answerOf(running), 'other-secret');
    assert.deepEqual(revisionsOf(bench), { 'agent-00001': 100 });
  });

  for (const [what, damage] of [
    ['no JSON', '{'],
    ['foreign JSON', '{"some":"thing"}'],
    ['a record with parts missing', '{"format":1,"name":"agent-00001","number":1}'],
    ['a record that leads elsewhere', undefined],
  ] as const) {
    test(`a revision that is ${what} is told and ignored`, async () => {
      await using bench = openBench();
      start(bench, 'one');
      await bench.restart();
      const file = join(bench.folder, 'state/default/agent/revisions/agent-00001/revision.json');
      const led = readFileSync(file, 'utf8').replace('"functions/agent.mjs"', '"../../../secret"');
      writeFileSync(file, damage ?? led);
      const running = bench.functions.start(bench.declared());
      assert.match(bench.news.join('\n'), /agent-00001\/revision\.json is ignored: /);
      assert.equal(await answerOf(running), 'one');
    });
  }

  test('a copy that was touched is made again from the code that it was made of', async () => {
    await using bench = openBench();
    start(bench, 'one');
    await bench.restart();
    writeFileSync(join(bench.folder, 'state/default/agent/revisions/agent-00001/code', FILE), 'touched');
    assert.equal(await answerOf(bench.functions.start(bench.declared())), 'one');
    assert.deepEqual(revisionsOf(bench), { 'agent-00001': 100 });
  });

  test('are the last ten revisions, and those that traffic names', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    running.change(bench.declared({ traffic: [target(100), target(0, 'agent-00001', 'first')] }));
    for (let number = 2; number <= 14; number += 1) await change(bench, `number ${number}`);
    const names = Object.keys(revisionsOf(bench));
    assert.deepEqual([names.length, names[0], names.at(-1)], [11, 'agent-00014', 'agent-00001']);
    assert.equal(await requestOf(running, 'first'), 'agent-00001: one');
  });

  test('what cannot be written is told, and the function goes on', async () => {
    await using bench = openBench();
    bench.write('state/default/agent', 'a file where a folder should be');
    const running = start(bench, 'one');
    assert.equal(running.status().reason, 'RevisionFailed');
    assert.match(running.status().message, /revision agent-00001 cannot be kept: /);
    rmSync(join(bench.folder, 'state'), { recursive: true });
    bench.functions.lookAgain();
    assert.equal(await answerOf(running), 'one');
  });
});

describe('a rollback', limits, () => {
  const rollback = (bench: Bench, to?: string) => bench.functions.rollback('default/agent', to);

  test('gives all calls to the revision before, with its code and its template, over a restart', async () => {
    await using bench = openBench();
    const running = start(bench, 'one $MODEL', { environment: { MODEL: 'small' } });
    bench.write(FILE, 'two $MODEL');
    running.change(bench.declared({ environment: { MODEL: 'large' } }));
    await until(() => bench.news.length === 1);
    assert.equal(await rollback(bench), 'agent-00001');
    assert.equal(await answerOf(running), 'one small');
    assert.equal(bench.news.at(-1), 'agent: revision agent-00001 has the traffic (rolled back)');
    await bench.restart();
    const again = bench.functions.start(bench.declared({ environment: { MODEL: 'large' } }));
    assert.equal(await answerOf(again), 'one small');
    assert.deepEqual(
      agentOf(bench).revisions.map((it) => [it.name, it.percent, it.isPinned]),
      [
        ['agent-00002', 0, false],
        ['agent-00001', 100, true],
      ],
    );
    assert.equal(await rollback(bench, 'latest'), 'agent-00002');
    assert.equal(await answerOf(again), 'two large');
  });

  test('holds until the next change', async () => {
    await using bench = openBench();
    const running = start(bench, 'one');
    await change(bench, 'two');
    await rollback(bench);
    bench.functions.lookAgain();
    assert.equal(await answerOf(running), 'one');
    await change(bench, 'three');
    assert.deepEqual([await answerOf(running), agentOf(bench).revisions.some((it) => it.isPinned)], ['three', false]);
  });

  test('goes back further each time', async () => {
    await using bench = openBench();
    start(bench, 'one');
    await change(bench, 'two');
    await change(bench, 'three');
    assert.deepEqual([await rollback(bench), await rollback(bench)], ['agent-00002', 'agent-00001']);
    await assert.rejects(
      rollback(bench),
      /has not got a revision before agent-00001; there are: agent-00001, agent-00002/,
    );
  });

  test('changes nothing when that revision is not there, cannot start, or its code is not kept', async () => {
    await using bench = openBench();
    const running = start(bench, 'one $KEY', {
      environment: { KEY: 'broken-secret' },
      secretValues: ['broken-secret'],
    });
    bench.write(FILE, 'two');
    running.change(bench.declared({ environment: { KEY: 'broken-secret' }, secretValues: ['broken-secret'] }));
    await until(() => bench.news.length === 1);
    await assert.rejects(rollback(bench, 'agent-00007'), /has not got a revision agent-00007/);
    await assert.rejects(rollback(bench), /agent-00001 cannot start: SyntaxError/);
    assert.equal(await answerOf(running), 'two');
    await until(() => bench.runtime.living === 1);

    await using forgetful = openBench({ inMemory: true });
    start(forgetful, 'one');
    await change(forgetful, 'two');
    await assert.rejects(rollback(forgetful), /the code of agent-00001 is not kept/);
    await assert.rejects(
      forgetful.functions.rollback('default/none'),
      /there is no function default\/none; there are: default\/agent/,
    );
  });
});

describe('bounds that people set', limits, () => {
  test('hold in the place of the declared ones, for the next revision and after a restart', async () => {
    await using bench = openBench();
    const scaling = { ...bench.declared().scaling, maxScale: 5 };
    const running = start(bench, 'one', { concurrency: 1, scaling });
    bench.functions.scale('default/agent', { min: 1, max: 2 });
    assert.equal(running.room(), 2);
    await until(() => running.status().state === 'running');
    await change(bench, 'two');
    assert.equal(running.room(), 2);
    await bench.restart();
    const again = bench.functions.start(bench.declared({ concurrency: 1, scaling }));
    assert.equal(again.room(), 2);
    assert.deepEqual([agentOf(bench).scaling.minScale, agentOf(bench).scaling.maxScale], [1, 2]);
    bench.functions.scale('default/agent', { min: null, max: null });
    assert.equal(again.room(), 5);
    assert.throws(() => bench.functions.scale('default/agent', { max: -1 }), /max: expected an integer >= 0, got -1/);
  });
});
