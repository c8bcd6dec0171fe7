import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import type { Status } from '@millrace/bus/plan/plan';

import { readDocument } from '../support/document.ts';
import { post } from '../support/events.ts';
import { service } from '../support/flows.ts';
import { runMillrace, startMillrace, testFolder } from '../support/process.ts';
import type { TestFolder } from '../support/process.ts';

// Flows as they are published for Knative, byte for byte, with functions of the names that they call.

const provided = readDocument();
const skip = 'skip' in provided ? provided.skip : false;
const block = (nth: number) => ('document' in provided ? provided.document.block(nth) : '');

const limits = { timeout: 60_000 };

/** A function that notes what it gets, and answers with its name added to that. */
const HANDLER = (name: string, calls: string) => `import { appendFileSync } from 'node:fs';
export default ({ data }) => {
  appendFileSync(${JSON.stringify(calls)}, JSON.stringify([${JSON.stringify(name)}, data]) + '\\n');
  return { type: '${name}.done', data: [...data, '${name}'] };
};
`;

/** The one who gets the end of a flow: notes it, and answers nothing. */
const END = (name: string, calls: string) => HANDLER(name, calls).replace(/ {2}return .*\n/, '');

interface Flow {
  /** The manifest, as published. */
  readonly text: string;
  /** Which kind of flow it is, and its name. */
  readonly kind: 'Sequence' | 'Parallel';
  readonly name: string;
  readonly steps: readonly string[];
  /** Who gets what comes out. */
  readonly end?: string;
}

type Call = readonly [name: string, data: unknown];

/** Runs one event through a flow in a real process; gives who was called with what, in order, and how it says it stands. */
async function run({ text, kind, name, steps, end }: Flow): Promise<{ calls: Call[]; status: Status; stderr: string }> {
  using folder = testFolder();
  const manifests = [folder.write('flow.yaml', text), declareFunctions(folder, steps, end)];
  await using millrace = await startMillrace({ data: folder.at('data'), manifests });
  const resources = await millrace.ask<Status[]>('/api/resources');
  const status = resources.find((it) => it.kind === kind && it.name === name)!;
  assert.equal((await post(status.url!, { id: 'e1', data: '[]' })).status, 202);
  await millrace.settled();
  assert.deepEqual(await millrace.ask('/api/dead-letters'), []);
  const calls = readFileSync(folder.at('calls'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Call);
  return { calls, status, stderr: millrace.stderr };
}

function declareFunctions(folder: TestFolder, steps: readonly string[], end: string | undefined): string {
  folder.write('calls', '');
  for (const name of steps) folder.write(`functions/${name}.mjs`, HANDLER(name, folder.at('calls')));
  if (end !== undefined) folder.write(`functions/${end}.mjs`, END(end, folder.at('calls')));
  const names = end === undefined ? steps : [...steps, end];
  return folder.write('functions.yaml', names.map(service).join(''));
}

/** The calls of a Sequence: each step gets what the one before made of it. */
function inTurn(steps: readonly string[], end?: string): Call[] {
  return (end === undefined ? steps : [...steps, end]).map((name, index) => [name, steps.slice(0, index)]);
}

/** Branches are not in any order. */
const sorted = (all: readonly unknown[]) => all.map((it) => JSON.stringify(it)).toSorted();

const CONDITIONS = ['Ready', 'ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady'];

function assertReady({ conditions, url }: Status): void {
  assert.deepEqual(
    conditions.map(({ type, status }) => [type, status]),
    CONDITIONS.map((type) => [type, 'True']),
  );
  assert.match(url!, /^http:/);
}

const withJoin = (text: string) =>
  text.replace(
    /^metadata:\n/m,
    `metadata:\n  annotations:\n    millrace.dev/join: all\n    millrace.dev/join-deadline: PT1M\n`,
  );

describe('a published Sequence runs as it is', { ...limits, skip }, () => {
  test('block 4: three steps and a reply; nothing is wrong with the ApiServerSource beside it', async () => {
    const text = block(4);
    using folder = testFolder();
    const linted = await runMillrace(['lint', '-f', folder.write('both.yaml', text)]);
    assert.equal(linted.code, 0, linted.stderr + linted.stdout);
    assert.match(linted.stderr, /2 resources, 0 faults/);

    const sequence = text.slice(text.indexOf('---\n') + 4);
    const steps = ['gather-context', 'run-llm', 'format-response'];
    const end = 'result-handler';
    const { calls, status } = await run({ text: sequence, kind: 'Sequence', name: 'agent-pipeline', steps, end });
    assert.deepEqual(calls, inTurn(steps, end));
    assertReady(status);
  });

  test('block 21: two steps and a reply', async () => {
    const [steps, end] = [['step1', 'step2'], 'result-handler'];
    const { calls, status } = await run({ text: block(21), kind: 'Sequence', name: 'agent-sequence', steps, end });
    assert.deepEqual(calls, inTurn(steps, end));
    assertReady(status);
  });

  test('block 26: four steps without an apiVersion, which is told, and without a reply', async () => {
    const steps = ['web-search', 'extract-info', 'synthesize', 'format-report'];
    const { calls, status, stderr } = await run({ text: block(26), kind: 'Sequence', name: 'research-agent', steps });
    assert.deepEqual(calls, inTurn(steps));
    assertReady(status);
    assert.match(stderr, /no apiVersion|without apiVersion/);
  });
});

describe('a published Parallel runs as it is', { ...limits, skip }, () => {
  const flows: Record<string, () => Flow & { end: string }> = {
    'block 22: two branches': () => ({
      text: block(22),
      kind: 'Parallel',
      name: 'agent-parallel',
      steps: ['branch1', 'branch2'],
      end: 'aggregator',
    }),
    'block 27: three branches without an apiVersion': () => ({
      text: block(27),
      kind: 'Parallel',
      name: 'multi-source-agent',
      steps: ['search-web', 'query-database', 'call-api'],
      end: 'aggregate-results',
    }),
  };
  for (const [what, flowOf] of Object.entries(flows)) {
    test(`${what}, whose answers come to the aggregator as separate events`, async () => {
      const flow = flowOf();
      const { calls, status } = await run(flow);
      const branches = calls.filter(([name]) => name !== flow.end);
      assert.deepEqual(sorted(branches), sorted(flow.steps.map((name) => [name, []])));
      const taken = calls.filter(([name]) => name === flow.end).map(([, data]) => data);
      assert.deepEqual(sorted(taken), sorted(flow.steps.map((name) => [name])));
      assertReady(status);
    });

    test(`${what}, and with the annotation for a join as exactly one`, async () => {
      const flow = flowOf();
      const { calls, status } = await run({ ...flow, text: withJoin(flow.text) });
      const taken = calls.filter(([name]) => name === flow.end).map(([, data]) => data);
      assert.deepEqual(taken, [flow.steps.map((branch) => ({ branch, outcome: 'succeeded', data: [branch] }))]);
      assertReady(status);
    });
  }
});
