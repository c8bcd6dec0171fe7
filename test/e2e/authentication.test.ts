import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';

import { post } from '../support/events.ts';
import { DEFAULT_BROKER } from '../support/issuer.ts';
import { provideKubectl } from '../support/kubectl.ts';
import { broker, trigger } from '../support/manifests.ts';
import { runMillrace, startMillrace, testFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';

const kubectl = await provideKubectl();
const NO_KUBECTL = 'skip' in kubectl ? kubectl.skip : false;

const POLICY = `---
apiVersion: eventing.knative.dev/v1alpha1
kind: EventPolicy
metadata: { name: shop }
spec:
  from:
    - sub: system:serviceaccount:default:shop
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: shop }
`;

describe('millrace up --authentication-oidc', { timeout: 90_000 }, () => {
  test('takes events of who is allowed, also after a restart, and tells no token', { skip: NO_KUBECTL }, async () => {
    using folder = testFolder();
    await using subscriber = await startSubscriber();
    const asking = trigger('agent', subscriber.url).replace('"subscriber":{', '"subscriber":{"audience":"theirs",');
    const options = {
      data: folder.at('data'),
      manifests: [folder.write('flow.yaml', broker() + asking)],
      arguments: ['--authentication-oidc', '--log-level', 'debug'],
    };
    await using first = await startMillrace(options);
    assert.equal(statSync(folder.at('data/oidc.key')).mode & 0o777, 0o600);
    const known = (admin: string) => ({ environment: { MILLRACE_ADMIN: admin, MILLRACE_DATA: folder.at('data') } });
    const says = async (admin: string, ...line: string[]) => {
      const { code, stdout, stderr } = await runMillrace(line, known(admin));
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await says(first.admin, 'apply', '-f', folder.write('policy.yaml', POLICY));
    await says(first.admin, 'wait', '--for=condition=Ready', 'eventpolicy/shop', '--timeout=10s');

    folder.write('kubeconfig', await says(first.admin, 'kubeconfig'));
    const token = await new Promise<string>((resolve, reject) => {
      const env = { PATH: process.env['PATH'], HOME: folder.path, KUBECONFIG: folder.at('kubeconfig') };
      execFile('kubectl', ['create', 'token', 'shop', '--audience', DEFAULT_BROKER], { env }, (error, out, err) =>
        error === null ? resolve(out.trim()) : reject(new Error(err)),
      );
    });
    const sent = (url: string, authorization?: string) =>
      post(url, { headers: authorization === undefined ? {} : { authorization } }).then(({ status }) => status);
    assert.equal(await sent(first.broker, `Bearer ${token}`), 202);
    assert.equal(await sent(first.broker), 401);
    const other = await says(first.admin, 'token', 'default', '--audience', DEFAULT_BROKER);
    assert.equal(await sent(first.broker, `Bearer ${other.trim()}`), 403);
    await says(first.admin, 'send', '--as', 'shop', '--type', 'a', '--data', '1');
    const received = await subscriber.count(2);
    const theirs = received[0]!.headers.authorization!.slice('Bearer '.length);

    await first.stop();
    await using second = await startMillrace(options);
    const again = await says(second.admin, 'token', 'shop', '--audience', DEFAULT_BROKER);
    assert.equal(await sent(second.broker, `Bearer ${again.trim()}`), 202, 'the policy and the account are kept');
    await subscriber.count(3);
    const key = readFileSync(folder.at('data/oidc.key'), 'utf8').split('\n')[1]!;
    for (const secret of [token, theirs, other.trim(), again.trim(), key]) {
      for (const process of [first, second]) assert.ok(!process.stderr.includes(secret), 'no token is in the log');
    }
  });

  test('refuses an address of an issuer that is none, and a key that is none', async () => {
    using folder = testFolder();
    const ports = ['--port', '0', '--admin-port', '0', '--data', folder.at('data'), '--authentication-oidc'];
    const wrong = await runMillrace(['up', ...ports, '--oidc-discovery-base-url', 'issuer']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--oidc-discovery-base-url: expected an address such as/);
    const unsure = await runMillrace(['up', ...ports.slice(0, -1)], {
      environment: { MILLRACE_AUTHENTICATION_OIDC: 'false' },
    });
    assert.equal(unsure.code, 2);
    assert.match(unsure.stderr, /'false' from env 'MILLRACE_AUTHENTICATION_OIDC' is invalid/);
    chmodSync(folder.write('data/oidc.key', 'no key: hunter2'), 0o600);
    const broken = await runMillrace(['up', ...ports]);
    assert.equal(broken.code, 7, broken.stderr);
    assert.match(broken.stderr, /oidc\.key: expected a key for ES256/);
    assert.doesNotMatch(broken.stderr, /hunter2/);
  });
});
