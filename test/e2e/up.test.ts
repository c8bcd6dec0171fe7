import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { obstacle } from '../faults/obstacle.ts';
import { mountTmpfs, withoutTmpfs } from '../faults/tmpfs.ts';
import { post } from '../support/events.ts';
import { broker, trigger } from '../support/manifests.ts';
import { runMillrace, startMillrace, testFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';

const PORTS = ['--port', '0', '--admin-port', '0'];
const limits = { timeout: 90_000 };

describe('millrace up refuses to start', limits, () => {
  test('on a port that is taken, and says which flag gives another', async () => {
    using folder = testFolder();
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const port = String((taken.address() as AddressInfo).port);
    try {
      const data = await runMillrace(['up', '--port', port, '--admin-port', '0', '--data', folder.at('data')]);
      assert.equal(data.code, 4, data.stderr);
      assert.match(data.stderr, new RegExp(`127\\.0\\.0\\.1:${port} is taken: .*--port`));
      const admin = await runMillrace(['up', '--port', '0', '--admin-port', port, '--data', folder.at('data')]);
      assert.equal(admin.code, 4, admin.stderr);
      assert.match(admin.stderr, new RegExp(`127\\.0\\.0\\.1:${port} is taken: .*--admin-port`));
    } finally {
      taken.close();
    }
  });

  test('on a data folder that another process has, and names that process', async () => {
    using folder = testFolder();
    await using first = await startMillrace({ data: folder.at('data') });
    const second = await runMillrace(['up', ...PORTS, '--data', folder.at('data')]);
    assert.equal(second.code, 4, second.stderr);
    assert.match(second.stderr, new RegExp(`data folder ${folder.at('data')} is in use by process ${first.pid} since`));
    assert.equal((await post(first.broker, {})).status, 202, 'the first goes on');
  });

  test('but not on the data folder of a process that was killed', async () => {
    using folder = testFolder();
    await using first = await startMillrace({ data: folder.at('data') });
    await first.kill();
    await using second = await startMillrace({ data: folder.at('data') });
    assert.equal((await post(second.broker, {})).status, 202);
  });

  test('with a faulty manifest, and names each fault with its place', async () => {
    using folder = testFolder();
    const file = folder.write('flow.yaml', FAULTY);
    const { code, stderr } = await runMillrace(['up', ...PORTS, '-f', file, '--data', folder.at('data')]);
    assert.equal(code, 6, stderr);
    assert.match(stderr, new RegExp(`${file}:6:3 .*subscribr.*\\(did you mean subscriber\\?\\)`));
    assert.match(stderr, new RegExp(`${file}:14:\\d+ .*filters`));
    assert.match(stderr, /nothing was started/);
    assert.ok(!existsSync(folder.at('data')), 'no data folder is made');
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
  });

  test('with a manifest that is not there', async () => {
    using folder = testFolder();
    const { code, stderr } = await runMillrace([
      'up',
      ...PORTS,
      '-f',
      folder.at('none.yaml'),
      '--data',
      folder.at('d'),
    ]);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /none\.yaml/);
    assert.ok(!existsSync(folder.at('d')));
  });

  test('on a data folder that cannot be made or written', async () => {
    using folder = testFolder();
    const file = folder.write('file', 'no folder');
    const inFile = await runMillrace(['up', ...PORTS, '--data', file]);
    assert.equal(inFile.code, 7, inFile.stderr);
    assert.match(inFile.stderr, new RegExp(`data folder ${file} cannot be used .*--data`));
    const below = await runMillrace(['up', ...PORTS, '--data', `${file}/data`]);
    assert.equal(below.code, 7, below.stderr);
  });

  test('on a data folder that nothing may be written to', { skip: obstacle(withoutReadOnly()) }, async () => {
    using folder = readOnlyFolder();
    for (const data of [folder.path, join(folder.path, 'data')]) {
      const { code, stderr } = await runMillrace(['up', ...PORTS, '--data', data]);
      assert.equal(code, 7, stderr);
      assert.match(stderr, new RegExp(`${data} cannot be (?:used|opened)`));
    }
  });

  test('on a file that is no database of ours', async () => {
    using folder = testFolder();
    folder.write('data/log.db', 'this is no database, but long enough to be looked at'.repeat(100));
    const { code, stderr } = await runMillrace(['up', ...PORTS, '--data', folder.at('data')]);
    assert.equal(code, 7, stderr);
    assert.match(stderr, new RegExp(`the data in ${folder.at('data')} cannot be opened`));
  });

  for (const [args, said] of [
    [['--no-such-flag'], /unknown option '--no-such-flag'/],
    [['--port', 'http'], /--port.*expected an integer from 0 to 65535, got "http"/],
    [['--port', '65536'], /--port.*got "65536"/],
    [['--alias', 'kafka'], /--alias: expected host:port=host:port, got "kafka"/],
    [['--log-level', 'loud'], /--log-level.*Allowed choices/],
    [['surplus'], /too many arguments|surplus/],
  ] as const) {
    test(`with ${args.join(' ')}`, async () => {
      using folder = testFolder();
      const { code, stderr } = await runMillrace(['up', ...args, '--data', folder.at('data')], { folder: folder.path });
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
      assert.ok(!existsSync(folder.at('data')));
    });
  }
});

describe('what is up', limits, () => {
  test('is told by a banner whose curl line works in a shell', async () => {
    using folder = testFolder();
    await using subscriber = await startSubscriber();
    const manifests = [folder.write('flow.yaml', broker() + trigger('all', subscriber.url))];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    const curl = /^ {2}(curl (?:.*\\\n)*.*)$/m.exec(millrace.stderr)?.[1];
    assert.ok(curl, millrace.stderr);
    const { stdout } = await promisify(execFile)('sh', ['-c', curl]);
    assert.match(stdout, /^HTTP\/1\.1 202 /);
    const [received] = await subscriber.count(1);
    assert.equal(received!.event?.id, /ce-id: ([^']+)/.exec(curl)?.[1]);
    assert.equal(received!.body.toString(), /-d '([^']+)'/.exec(curl)?.[1]);
    assert.match(millrace.stderr, /Trigger +default\/all +ready/);
  });

  test('answers /livez, /readyz and /metrics on the admin port', async () => {
    using folder = testFolder();
    await using subscriber = await startSubscriber();
    const manifests = [folder.write('flow.yaml', trigger('all', subscriber.url))];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    await post(millrace.broker, { type: 'counted' });
    await subscriber.count(1);
    await millrace.settled();
    const get = async (path: string) => {
      const response = await fetch(millrace.admin + path);
      return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
    };
    assert.deepEqual(await get('/livez').then(({ status, text }) => [status, text]), [200, 'ok\n']);
    const readyz = await get('/readyz?verbose');
    assert.equal(readyz.status, 200);
    assert.match(readyz.text, /^\[\+\]log ok\n\[\+\]accepting ok\n[^]*readyz check passed\n$/);
    const metrics = await get('/metrics');
    assert.match(metrics.type!, /^text\/plain/);
    assert.match(metrics.text, /^kn_eventing_dispatch_duration_seconds_count\{.*cloudevents_type="counted".*\} 1$/m);
    assert.match(metrics.text, /^millrace_events_accepted_total\{topic="broker\/default\/default"\} 1$/m);
    assert.match(metrics.text, /^millrace_deliveries_total\{.*outcome="delivered".*\} 1$/m);
    assert.match(metrics.text, /^process_resident_memory_bytes /m);
  });

  test('lets no foreign page and no foreign name reach the admin port', async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({ data: folder.at('data') });
    const { host } = new URL(millrace.admin);
    for (const path of ['/livez', '/api/events', '/api/dead-letters', '/none']) {
      assert.equal(await statusOf(millrace.admin + path, { host: 'evil.example' }), 421, path);
      assert.equal(await statusOf(millrace.admin + path, { host, origin: 'http://evil.example' }), 403, path);
    }
    const redrive = `${millrace.admin}/api/dead-letters/redrive`;
    assert.equal(await statusOf(redrive, { host, origin: 'null' }, 'POST'), 403);
    assert.equal(await statusOf(redrive, { host: 'evil.example:80' }, 'POST'), 421);
    assert.equal(await statusOf(`${millrace.admin}/livez`, { host: host.replace('127.0.0.1', 'localhost') }), 200);
    assert.equal(await statusOf(`${millrace.admin}/livez`, { host, origin: `http://${host}` }), 200);
  });
});

const FAULTY = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: first }
spec:
  broker: default
  subscribr: { uri: "http://127.0.0.1:1/" }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: second }
spec:
  broker: default
  subscriber: { uri: "http://127.0.0.1:1/" }
  filters: [{ cesql: "type = " }]
`;

/** Permissions do not stop root; a file system that is mounted to be read does. */
function withoutReadOnly(): string | undefined {
  return process.getuid?.() === 0 ? withoutTmpfs() : undefined;
}

function readOnlyFolder(): Disposable & { readonly path: string } {
  if (process.getuid?.() === 0) return mountTmpfs('ro');
  const folder = testFolder();
  chmodSync(folder.path, 0o500);
  return folder;
}

/** By node:http: fetch lets nobody choose the Host. */
function statusOf(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode!));
    });
    sent.once('error', reject).end();
  });
}
