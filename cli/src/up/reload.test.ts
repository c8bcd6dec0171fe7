import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import type { EntrySummary } from '@millrace/bus/admin/views';

import { post } from '../../../test/support/events.ts';
import { eventually, startMillrace, testFolder } from '../../../test/support/process.ts';
import type { Millrace, TestFolder } from '../../../test/support/process.ts';

const limits = { timeout: 60_000 };

const MANIFEST = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: echo }
spec:
  template:
    spec:
      containers: [{ image: echo, env: [{ name: WORD, value: small }] }]
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: all }
spec:
  broker: default
  filters: [{ exact: { type: com.example.asked } }]
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: echo } }
`;

/** Answers what it is told, with a word of its environment. */
const code = (text: string): string =>
  `export default () => ({ type: 'com.example.answered', subject: '${text} ' + process.env.WORD })`;

/** A running bus over manifests and code that may be changed. */
async function open(folder: TestFolder, more: string[] = []): Promise<Millrace> {
  folder.write('flow/flow.yaml', MANIFEST);
  folder.write('flow/functions/echo.mjs', code('one'));
  return startMillrace({ data: folder.at('data'), manifests: [folder.at('flow')], arguments: more });
}

let events = 0;
/** What the function answers to one more event. */
async function answerOf(millrace: Millrace): Promise<string | undefined> {
  const id = `asked-${(events += 1)}`;
  const known = (await millrace.ask<EntrySummary[]>('/api/events?type=com.example.answered')).length;
  assert.equal((await post(millrace.broker, { id, type: 'com.example.asked' })).status, 202);
  return eventually(async () => {
    const answers = await millrace.ask<EntrySummary[]>('/api/events?type=com.example.answered');
    return answers.length > known ? answers[0]!.subject : undefined;
  });
}

describe('a change while millrace is up', limits, () => {
  test('of code is the next revision; one that cannot start changes nothing', async () => {
    using folder = testFolder();
    await using millrace = await open(folder);
    assert.equal(await answerOf(millrace), 'one small');
    // As editors do it: a new file in the place of the old one.
    const draft = folder.write('flow/functions/.draft', code('two'));
    renameSync(draft, folder.at('flow/functions/echo.mjs'));
    await millrace.says(/echo: revision echo-00002 is ready and has the traffic/);
    assert.equal(await answerOf(millrace), 'two small');

    folder.write('flow/functions/echo.mjs', 'export default (');
    await millrace.says(/echo: revision echo-00003 cannot start: .*SyntaxError[^]*echo-00002 goes on serving/);
    assert.equal(await answerOf(millrace), 'two small');

    // A folder that is gone for a while.
    rmSync(folder.at('flow/functions'), { recursive: true });
    mkdirSync(folder.at('flow/functions'));
    writeFileSync(folder.at('flow/functions/echo.mjs'), code('four'));
    await millrace.says(/revision echo-00004 is ready/);
    assert.equal(await answerOf(millrace), 'four small');
    assert.equal((await millrace.stop()).code, 0);
  });

  test('of manifests is applied; a faulty one is told with its place and changes nothing', async () => {
    using folder = testFolder();
    await using millrace = await open(folder);
    folder.write('flow/flow.yaml', MANIFEST.replace('small', 'large'));
    await millrace.says(/manifests: Service\/default\/echo is changed/);
    await millrace.says(/revision echo-00002 is ready/);
    assert.equal(await answerOf(millrace), 'one large');

    folder.write('flow/flow.yaml', MANIFEST.replace('subscriber', 'subscribr'));
    await millrace.says(/flow\.yaml:16:3 .*did you mean subscriber\?/);
    await millrace.says(/what they said before goes on/);
    assert.equal(await answerOf(millrace), 'one large');

    folder.write('flow/more.yaml', MANIFEST.split('---')[0]!.replaceAll('echo', 'other'));
    folder.write('flow/functions/other.mjs', code('other'));
    folder.write('flow/flow.yaml', MANIFEST.split('---')[0]!);
    await millrace.says(/no faults any more/);
    await millrace.says(/manifests: Trigger\/default\/all is gone, .*Service\/default\/other is new/);
    assert.equal((await millrace.stop()).code, 0);
  });

  test('changes nothing with --no-watch', async () => {
    using folder = testFolder();
    await using millrace = await open(folder, ['--no-watch']);
    // One that watches the same files tells when there was something to see.
    await using witness = await startMillrace({ data: folder.at('witness'), manifests: [folder.at('flow')] });
    await answerOf(witness);
    folder.write('flow/functions/echo.mjs', code('two'));
    await witness.says(/revision echo-00002 is ready/);
    assert.doesNotMatch(millrace.stderr, /echo-00002/);
    assert.equal(await answerOf(millrace), 'one small');
    assert.equal((await millrace.stop()).code, 0);
  });
});
