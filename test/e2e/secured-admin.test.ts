import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { renameSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { describe, test } from 'node:test';

import { makeCertificate, NO_OPENSSL } from '../support/certificate.ts';
import { provideKubectl } from '../support/kubectl.ts';
import { eventually, launch, runMillrace, testFolder } from '../support/process.ts';
import type { Launched, TestFolder } from '../support/process.ts';

const limits = { timeout: 90_000 };
const kubectl = await provideKubectl();
const NO_KUBECTL = NO_OPENSSL === false && 'skip' in kubectl ? kubectl.skip : NO_OPENSSL;

/** Starts one that others reach as well, and waits for its addresses; `127.0.0.1` stands for all that it listens on. */
async function started(launched: Launched): Promise<{ admin: string; events: string }> {
  const banner = await launched.says(/^ {2}admin +http.*\n(?:.*\n)*?Try, /m);
  const at = (name: string) =>
    new RegExp(`^ {2}${name} +(\\S+)`, 'm').exec(banner)![1]!.replace('0.0.0.0', '127.0.0.1');
  return { admin: at('admin'), events: at('events') };
}

function launchSecured(folder: TestFolder): Launched {
  const own = makeCertificate(folder, 'localhost');
  const tls = ['--admin-tls-cert', own.cert, '--admin-tls-key', own.key, '--tls-cert', own.cert, '--tls-key', own.key];
  return launch({ data: folder.at('data'), arguments: ['--admin-host', '0.0.0.0', ...tls] });
}

describe('an admin port that others reach', limits, () => {
  test('is not opened where tokens could be read on their way, and it is said what to do', async () => {
    using folder = testFolder();
    const ports = ['--port', '0', '--admin-port', '0', '--data', folder.at('data')];
    const { code, stderr } = await runMillrace(['up', ...ports, '--admin-host', '0.0.0.0']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--admin-tls-cert and --admin-tls-key, .*--insecure-admin/);
  });

  test('asks for the token that it made, also over plain HTTP where it is told that this is meant', async () => {
    using folder = testFolder();
    await using launched = launch({
      data: folder.at('data'),
      arguments: ['--admin-host', '0.0.0.0', '--insecure-admin'],
    });
    const { admin } = await started(launched);
    for (const name of ['admin.token', 'admin.read-token']) {
      assert.equal(statSync(folder.at(`data/${name}`)).mode & 0o777, 0o600);
    }
    assert.equal((await fetch(`${admin}/api/about`)).status, 401);
    const token = readFileSync(folder.at('data/admin.token'), 'utf8').trim();
    const authorization = { authorization: `Bearer ${token}` };
    assert.equal((await fetch(`${admin}/api/about`, { headers: authorization })).status, 200);
    // The commands of this machine find it; others say what they miss.
    const known = { environment: { MILLRACE_ADMIN: admin, MILLRACE_DATA: folder.at('data') } };
    assert.equal((await runMillrace(['status'], known)).code, 0);
    const unknown = { environment: { MILLRACE_ADMIN: admin, MILLRACE_DATA: folder.at('none') } };
    for (const line of [['status'], ['get', 'triggers']]) {
      const { code, stderr } = await runMillrace(line, unknown);
      assert.equal(code, 1);
      assert.match(stderr, /--token-file.*MILLRACE_TOKEN/);
    }
    const file = folder.write('token', `${token}\n`);
    assert.equal((await runMillrace(['status', '--token-file', file], unknown)).code, 0);
  });

  test('takes the tokens that it is given, also on loopback, and refuses files that hold none', async () => {
    using folder = testFolder();
    const file = folder.write('token', 'one-that-was-made-elsewhere\n');
    await using launched = launch({ data: folder.at('data'), arguments: ['--admin-token-file', file] });
    const { admin } = await started(launched);
    assert.equal((await fetch(`${admin}/api/about`)).status, 401);
    const environment = { MILLRACE_ADMIN: admin, MILLRACE_TOKEN: 'one-that-was-made-elsewhere' };
    assert.equal((await runMillrace(['status'], { environment })).code, 0);

    const short = folder.write('short', 'hunter2');
    const ports = ['--port', '0', '--admin-port', '0', '--data', folder.at('other')];
    const refused = await runMillrace(['up', ...ports, '--admin-token-file', short]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /expected a token of at least 16/);
    assert.doesNotMatch(refused.stderr, /hunter2/);
  });

  test(
    'is for the real kubectl what a cluster is: TLS, two tokens, and their rights',
    { skip: NO_KUBECTL },
    async () => {
      using folder = testFolder();
      await using launched = launchSecured(folder);
      const { admin, events } = await started(launched);
      const environment = { MILLRACE_ADMIN: admin, MILLRACE_DATA: folder.at('data') };
      folder.write('kubeconfig', (await runMillrace(['kubeconfig'], { environment })).stdout);
      const kubectl = (...line: string[]) =>
        new Promise<string>((resolve) => {
          const env = { PATH: process.env['PATH'], HOME: folder.path, KUBECONFIG: folder.at('kubeconfig') };
          execFile('kubectl', line, { env, timeout: 30_000 }, (_error, out, err) => resolve(out + err));
        });
      assert.match(await kubectl('auth', 'whoami'), /Username +millrace:admin/);
      assert.match(await kubectl('auth', 'can-i', 'delete', 'secrets'), /^yes/);
      assert.match(await kubectl('create', 'secret', 'generic', 'key', '--from-literal=a=b'), /created/);

      const token = readFileSync(folder.at('data/admin.read-token'), 'utf8').trim();
      const reader = (...line: string[]) => kubectl(`--token=${token}`, ...line);
      assert.match(await reader('auth', 'whoami'), /Username +millrace:reader/);
      assert.match(await reader('auth', 'can-i', 'get', 'secrets'), /^no/);
      assert.match(await reader('get', 'ns'), /default +Active/);
      assert.match(await reader('get', 'secret', 'key', '-o', 'yaml'), /Forbidden.*cannot get resource "secrets"/);
      assert.match(await reader('create', 'configmap', 'a'), /forbidden: .*cannot create resource "configmaps"/);
      assert.match(await kubectl('--token=wrong', 'get', 'ns'), /You must be logged in to the server/);

      // Events go over TLS as well, and the addresses that are told say so.
      assert.match(events, /^https:/);
      const sent = await runMillrace(['send', '--type', 'a', '--data', '1'], { environment });
      assert.equal(sent.code, 0, sent.stderr);
      const { stdout } = await runMillrace(['status'], { environment });
      assert.match(stdout, /https:\/\/127\.0\.0\.1:\d+\/default\/default/);
      for (const name of ['admin.token', 'admin.read-token']) {
        assert.ok(
          !launched.stderr.includes(readFileSync(folder.at(`data/${name}`), 'utf8').trim()),
          'no token is told',
        );
      }
    },
  );

  test(
    'shows another certificate when its files change, and the one from before when they do not fit',
    { skip: NO_OPENSSL },
    async () => {
      using folder = testFolder();
      await using launched = launchSecured(folder);
      const { admin, events } = await started(launched);
      assert.deepEqual([await shownAt(admin), await shownAt(events)], ['localhost', 'localhost']);
      writeFileSync(folder.at('localhost.key'), 'no key');
      await launched.says(/does not fit.*the certificate from before goes on/);
      assert.equal(await shownAt(admin), 'localhost');
      const next = makeCertificate(folder, 'next');
      renameSync(next.key, folder.at('localhost.key'));
      renameSync(next.cert, folder.at('localhost.crt'));
      for (const url of [admin, events]) await eventually(async () => (await shownAt(url)) === 'next' || undefined);
      const environment = { MILLRACE_ADMIN: admin, MILLRACE_DATA: folder.at('data') };
      assert.equal((await runMillrace(['status'], { environment })).code, 0, 'commands know it, too');
    },
  );
});

/** Whom the certificate at an address is of. */
function shownAt(url: string): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
