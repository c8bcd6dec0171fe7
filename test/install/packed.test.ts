import assert from 'node:assert/strict';
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Runs a command to its end; throws what it said when it fails. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
    env: ENVIRONMENT,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

// The Node that runs the tests comes first, as the one that a user has installed would.
const ENVIRONMENT = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
  NODE_OPTIONS: '',
  MILLRACE_COMMAND: undefined,
};

const MANIFEST = `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: shout }
spec:
  broker: default
  filters: [{ exact: { type: said } }]
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: shout } }
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: shout }
spec: { template: { spec: { containers: [{ image: shout }] } } }
`;

test(
  'the packed command, installed in an empty folder, takes an event and delivers it',
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-packed-'));
    try {
      run(process.execPath, [join(ROOT, 'cli/build.ts')], ROOT);
      run('npm', ['pack', '--silent', '-w', 'cli', '--pack-destination', folder], ROOT);
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
      run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', './millrace-0.1.0.tgz'], folder);

      mkdirSync(join(folder, 'functions'));
      writeFileSync(join(folder, 'flow.yaml'), MANIFEST);
      writeFileSync(
        join(folder, 'functions/shout.mjs'),
        `import { agent } from 'millrace/agent';
         agent({});
         export default (event) => ({ type: 'shouted', data: event.data.toUpperCase() });`,
      );
      const command = join(folder, 'node_modules/.bin/millrace');
      assert.match(run(command, ['--version'], folder), /^0\.1\.0\n$/);
      assert.deepEqual(await transformed(join(folder, 'node_modules/millrace/dist/jsonata-process.js')), {
        kind: 'value',
        json: '2',
      });
      const child = spawn(command, ['up', '-f', 'flow.yaml', '--port', '0', '--admin-port', '0'], {
        cwd: folder,
        env: ENVIRONMENT,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const exited = new Promise<number | null>((resolve) => {
        child.once('exit', resolve);
      });
      try {
        let said = '';
        for await (const chunk of child.stderr) {
          said += String(chunk);
          if (said.includes('millrace dlq list')) break;
        }
        const admin = /admin +(http:\S+)/.exec(said)![1]!;
        const send = run(
          command,
          ['send', '--admin', admin, '--type', 'said', '--data', 'hello', '--content-type', 'text/plain', '-o', 'name'],
          folder,
        );
        assert.match(send, /^1\n$/);
        // The reply is the second event, once the function has woken.
        const show = ['events', 'show', '--admin', admin, '2', '--raw'];
        let reply = '';
        while (reply === '')
          reply = spawnSync(command, show, { cwd: folder, encoding: 'utf8', env: ENVIRONMENT }).stdout;
        assert.equal(reply, 'HELLO');
      } finally {
        child.kill('SIGTERM');
      }
      assert.equal(await exited, 0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** What the process of transformations answers, started by itself: it finds what it is made of. */
async function transformed(file: string): Promise<unknown> {
  const child = fork(file, ['1000', '60000'], { serialization: 'advanced', env: {} });
  try {
    const [first] = (await once(child, 'message')) as [unknown];
    assert.equal(first, 'ready');
    child.send({ expression: 'n + 1', input: '{"n":1}' });
    const [answer] = (await once(child, 'message')) as [unknown];
    return answer;
  } finally {
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
  }
}
