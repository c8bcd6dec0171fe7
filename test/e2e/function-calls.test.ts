import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually, startMillrace, testFolder } from '../support/process.ts';

const SERVICES = ['stream', 'slow']
  .map(
    (name) => `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { containerConcurrency: 1, containers: [{ image: ${name} }] } } }
`,
  )
  .join('');

/** Answers with a stream whose second part comes when the folder has a file `go`. */
const STREAM = (go: string) => `import { existsSync } from 'node:fs';
export default {
  async fetch() {
    async function* parts() {
      yield 'data: 1\\n\\n';
      while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 5));
      yield 'data: 2\\n\\n';
    }
    return new Response(ReadableStream.from(parts()).pipeThrough(new TextEncoderStream()), {
      headers: { 'content-type': 'text/event-stream' },
    });
  },
};`;

/** Says in a file that it was begun, then answers when the folder has a file `go`. */
const SLOW = (begun: string, go: string) => `import { appendFileSync, existsSync } from 'node:fs';
export default {
  async fetch(request) {
    appendFileSync(${JSON.stringify(begun)}, process.pid + '\\n');
    while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response('answer to ' + (await request.text()));
  },
};`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test(
  'a real function streams to its caller, and is called asynchronously through kill -9',
  { timeout: 60_000 },
  async () => {
    using folder = testFolder();
    const [go, begun, answer] = [folder.at('go'), folder.at('begun'), folder.at('answer')];
    folder.write('functions/stream.mjs', STREAM(go));
    folder.write('functions/slow.mjs', SLOW(begun, answer));
    const manifests = [folder.write('services.yaml', SERVICES)];
    const pids = () => readFileSync(begun, 'utf8').trim().split('\n').map(Number);
    const options = { data: folder.at('data'), manifests };
    const call = async (url: string, body: string): Promise<string> => {
      const accepted = await fetch(`${url}/functions/default/slow`, {
        method: 'POST',
        headers: { prefer: 'respond-async' },
        body,
      });
      assert.equal(accepted.status, 202);
      return accepted.headers.get('location')!;
    };
    const statusOf = async (url: string) => ((await (await fetch(url)).json()) as { status: string }).status;
    let kept: string;
    {
      await using millrace = await startMillrace(options);
      const streamed = await fetch(`${millrace.url}/functions/default/stream`);
      assert.equal(streamed.headers.get('millrace-start'), 'cold');
      const reader = streamed.body!.pipeThrough(new TextDecoderStream()).getReader();
      assert.equal((await reader.read()).value, 'data: 1\n\n');
      folder.write('go', '');
      assert.equal((await reader.read()).value, 'data: 2\n\n');

      const cancelled = await call(millrace.url, 'cancelled');
      const [pid] = await eventually(() => (existsSync(begun) ? pids() : undefined));
      assert.equal(await statusOf(millrace.url + cancelled), 'running');
      assert.equal((await fetch(millrace.url + cancelled, { method: 'DELETE' })).status, 200);
      await eventually(() => (isAlive(pid!) ? undefined : true));

      kept = await call(millrace.url, 'kept');
      await eventually(() => (pids().length === 2 ? true : undefined));
      await millrace.kill();
    }
    await using millrace = await startMillrace(options);
    folder.write('answer', '');
    const result = await fetch(`${millrace.url}${kept}/result?wait=30s`);
    assert.deepEqual([result.status, await result.text()], [200, 'answer to kept']);
    assert.equal(await statusOf(millrace.url + kept), 'succeeded');
  },
);
