import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';

import { post } from '../../../test/support/events.ts';
import { runMillrace, startMillrace, testFolder } from '../../../test/support/process.ts';

const limits = { timeout: 60_000 };

const APPROVED = flow('ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: search }');
const ASSUMED = flow('ref: { kind: Service, name: search }', 'ref: { kind: Service, name: search }');
const MISSING =
  /flow\.yaml:6:5 spec\.steps\[0\]\.ref\.apiVersion: missing field\(s\): spec\.steps\[0\]\.ref\.apiVersion: /;

function flow(...steps: string[]): string {
  return [
    'apiVersion: flows.knative.dev/v1',
    'kind: Sequence',
    'metadata: { name: research }',
    'spec:',
    '  steps:',
    ...steps.map((step) => `  - ${step}`),
  ].join('\n');
}

describe('millrace up --strict', limits, () => {
  test('refuses to start with what Knative refuses, in its words', async () => {
    using folder = testFolder();
    const file = folder.write('flow.yaml', ASSUMED);
    const ports = ['--port', '0', '--admin-port', '0'];
    const { code, stderr } = await runMillrace(['up', '--strict', ...ports, '-f', file, '--data', folder.at('data')]);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /^millrace: 2 faults in the manifests; nothing was started:\n/);
    assert.match(stderr, MISSING);
    assert.ok(!existsSync(folder.at('data')), 'no data folder is made');
  });

  test('starts with what Knative takes, though it is not ready, and goes on with it when a change is refused', async () => {
    using folder = testFolder();
    folder.write('flow.yaml', APPROVED);
    await using millrace = await startMillrace({
      data: folder.at('data'),
      manifests: [folder.at('flow.yaml')],
      arguments: ['--strict'],
    });
    folder.write('flow.yaml', ASSUMED);
    await millrace.says(MISSING);
    const told = await millrace.says(/what they said before goes on/);
    assert.doesNotMatch(told, /Sequence\/default\/research is changed/);
    assert.equal((await post(`${millrace.url}/flows/sequence/default/research`, {})).status, 202);

    folder.write('flow.yaml', `${APPROVED}\n  reply: { uri: "http://127.0.0.1:1/" }\n`);
    await millrace.says(/no faults any more/);
    await millrace.says(/manifests: Sequence\/default\/research is changed/);
    assert.equal((await millrace.stop()).code, 0);
  });

  test('is asked for: without it, the same is taken and told in one line', async () => {
    using folder = testFolder();
    const file = folder.write('flow.yaml', ASSUMED);
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [file] });
    const assumed = millrace.stderr.split('\n').filter((line) => line.includes('apiVersion'));
    assert.deepEqual(assumed, [
      `  ${file}: 2 references without apiVersion: kind Service is looked for in serving.knative.dev/v1 (lines 6, 7)`,
    ]);
    assert.equal((await millrace.stop()).code, 0);
  });
});
