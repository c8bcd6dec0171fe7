import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startMillrace, testFolder } from '../support/process.ts';

const service = (name: string): string => `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { containers: [{ image: ${name} }] } } }
`;

const CALLED = 'http://hello.default.svc.cluster.local/x?y=1';

const CODE = {
  'hello.mjs': `export default (event, { request }) => ({ seen: event.data, path: request.path })`,
  'by-node.mjs': `export default async () =>
    (await fetch('${CALLED}', { method: 'POST', body: '{"from":"node"}', headers: { 'content-type': 'application/json' } })).json()`,
  'by-python.py': `
import urllib.request
def main(event):
    asked = urllib.request.Request("${CALLED}", b'{"from":"python"}', {"content-type": "application/json"})
    return urllib.request.urlopen(asked).read()`,
};

test('a function calls another by the name that it has in a cluster', { timeout: 30_000 }, async () => {
  using folder = testFolder();
  for (const [name, code] of Object.entries(CODE)) folder.write(`functions/${name}`, code);
  const manifests = [folder.write('flow.yaml', ['hello', 'by-node', 'by-python'].map(service).join(''))];
  await using millrace = await startMillrace({ data: folder.at('data'), manifests });
  for (const language of ['node', 'python']) {
    const answer = await fetch(`${millrace.url}/functions/default/by-${language}`);
    assert.equal(answer.status, 200, await answer.clone().text());
    assert.deepEqual(await answer.json(), { seen: { from: language }, path: '/x?y=1' });
  }
});
