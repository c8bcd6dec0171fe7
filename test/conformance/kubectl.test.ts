import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { provideKubectl } from '../support/kubectl.ts';
import { startMillrace, testFolder } from '../support/process.ts';
import type { Millrace, TestFolder } from '../support/process.ts';

const kubectl = await provideKubectl();

const CODE = join(import.meta.dirname, '../../functions/examples/hello-node');

const SERVICE = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: hello }
spec:
  template:
    metadata:
      annotations: { millrace.dev/code: "${CODE}", autoscaling.knative.dev/min-scale: "1" }
    spec: { containers: [{ image: x/hello }] }
`;

const broker = (name: string) => `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: ${name}, labels: { team: blue } }
`;

const trigger = (name: string, ofBroker: string) => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec: { broker: ${ofBroker}, subscriber: { uri: "http://127.0.0.1:1/" }, delivery: { retry: 0 } }
`;

describe('the real kubectl against a running millrace', { skip: 'skip' in kubectl ? kubectl.skip : false }, () => {
  let folder: TestFolder;
  let millrace: Millrace;
  const command = 'component' in kubectl ? kubectl.component : '';

  before(async () => {
    folder = testFolder();
    millrace = await startMillrace({ data: folder.at('data') });
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const args = (line: string) => [
    '--server',
    millrace.admin,
    '--cache-dir',
    folder.at('cache'),
    ...line.split(' ').map((word) => word.replaceAll('_', ' ')),
  ];
  const env = () => ({ PATH: process.env['PATH'], HOME: folder.path, KUBECONFIG: '/dev/null' });

  function run(line: string, input = ''): Promise<{ code: number; out: string; err: string }> {
    return new Promise((resolve) => {
      const child = execFile(command, args(line), { env: env(), timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
      child.stdin!.end(input);
    });
  }
  async function says(line: string, input?: string): Promise<string> {
    const { code, out, err } = await run(line, input);
    assert.equal(code, 0, `kubectl ${line}: ${err}${out}`);
    return out;
  }
  async function fails(line: string, input?: string): Promise<string> {
    const { code, out, err } = await run(line, input);
    assert.notEqual(code, 0, out);
    return err;
  }
  /** Asks until it is so. */
  async function shows(line: string, pattern: RegExp): Promise<string> {
    for (;;) {
      const out = await says(line);
      if (pattern.test(out)) return out;
    }
  }

  test('finds the cluster, its versions and kinds, and who one is', async () => {
    assert.match(await says('cluster-info'), /control plane.* is running at .*http:\/\/127.0.0.1:\d+/);
    assert.match(await says('version'), /Server Version: v1\.32\.0\+millrace/);
    assert.match(await says('api-versions'), /^serving.knative.dev\/v1$/m);
    assert.match(await says('get crd -l duck.knative.dev/source=true -o name'), /pingsources.sources.knative.dev$/m);
    assert.match(await says('auth can-i --list'), /^\*\.\* +\[\] +\[\] +\[\*\]/m);
    assert.match(await says('auth whoami'), /^Username +local/m);
    assert.match(await fails('create token default'), /no tokens are made here: start with --authentication-oidc/);
    assert.match(await says('explain ksvc --recursive'), /\n +failureThreshold\t<integer>/);
  });

  test('shows the default Broker that nobody has declared, and lets it be declared, replaced and deleted', async () => {
    const url = new RegExp(String.raw`^default +${millrace.broker} .*True`, 'm');
    assert.match(await says('get broker default'), url);
    assert.match(await says('create -f -', broker('default')), /broker.*\/default created/);
    assert.match(await says('get brokers -l team=blue'), url);
    const file = folder.write('broker.yaml', broker('default'));
    assert.match(await says(`replace --force -f ${file}`), /replaced/);
    assert.match(await says('delete broker default'), /deleted/);
    await shows('get brokers', url);
    assert.match(await says('apply -f -', broker('default')), /configured/);
    assert.doesNotMatch(await says('get broker default -o yaml'), /implicit/);
  });

  test('shows what a Service is made of, and what it wrote, and refuses to change it', async () => {
    await says('apply -f -', SERVICE);
    await says('wait --for=condition=Ready ksvc/hello --timeout=30s');
    assert.match(
      await says('get ksvc hello'),
      /^hello +http\S+\/functions\/default\/hello +hello-00001 +hello-00001 +True/m,
    );
    await shows('get revision hello-00001', /^hello-00001 +hello +1 +True +1 +1 *$/m);
    const all = await says('get configurations,routes,revisions,pods -o name');
    for (const name of ['configuration', 'route'].map((kind) => `${kind}.serving.knative.dev/hello`)) {
      assert.ok(all.includes(name), all);
    }
    const owner = 'jsonpath={.metadata.ownerReferences[0].kind}';
    assert.equal(await says(`get revision hello-00001 -o ${owner}`), 'Configuration');

    const pod = /^pod\/(\S+)$/m.exec(all)![1]!;
    assert.match(await says(`get pod ${pod}`), /1\/1 +Running/);
    const following = spawn(command, args(`logs -f ${pod}`), { env: env() });
    try {
      const url = await says('get ksvc hello -o jsonpath={.status.url}');
      const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/kubectl', 'ce-type': 'met' };
      const call = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"name":"Ada"}',
      };
      let seen = '';
      following.stdout.on('data', (text) => (seen += String(text)));
      assert.equal((await fetch(url, call)).status, 200);
      while (!seen.includes('greeting')) await once(following.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    } finally {
      const gone = once(following, 'exit');
      following.kill('SIGKILL');
      await gone;
    }
    assert.match(await says(`logs ${pod} --tail=1 --timestamps`), /^\d{4}-\S+Z .*greeting/);
    assert.match(await says('logs -l serving.knative.dev/service=hello'), /greeting/);
    assert.match(await fails(`logs ${pod} --previous`), /the instances before .* are Pods of their own/);
    assert.match(await fails('logs nobody'), /"nobody" not found/);

    assert.match(await fails('delete revision hello-00001'), /forbidden: .*change or delete the Service hello/);
    assert.match(await fails('label route hello a=b'), /change or delete the Service hello/);
    const core = 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: {}\n';
    assert.match(await fails('create -f -', core), /a core Service leads nowhere here/);

    await says('delete ksvc hello --cascade=foreground');
    for (const kind of ['revisions', 'routes', 'configurations', 'pods'])
      assert.equal(await says(`get ${kind} -o name`), '');
  });

  test('tells by Events what is not ready and what could not be delivered, once each with their number', async () => {
    await says('apply -f -', `${trigger('lost', 'nowhere')}---${trigger('dead', 'default')}`);
    await says('wait --for=condition=Ready trigger/dead --timeout=30s');
    for (const id of ['1', '2', '3']) {
      const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/kubectl', 'ce-type': 'x' };
      assert.equal((await fetch(millrace.broker, { method: 'POST', headers })).status, 202);
    }
    await shows('describe trigger lost', /Warning +BrokerDoesNotExist .* the Broker default\/nowhere is not declared/);
    await shows('get events', /Warning +DeadLetter +trigger\/dead +.*rests among the dead letters/);
    await shows('events --for trigger/dead', /DeadLetter/);
    const count = await says('get events -o jsonpath={.items[*].metadata.name} --field-selector reason=DeadLetter');
    assert.match(count, /^dead\.\w+$/);
    await says('apply -f -', broker('nowhere'));
    await shows('get events --field-selector involvedObject.name=lost', /Normal +Ready +trigger\/lost/);
  });

  test('prunes what is not applied any more, by label', async () => {
    const prune = '--prune -l team=blue --prune-allowlist=eventing.knative.dev/v1/Broker';
    await says(`apply -f - ${prune}`, `${broker('one')}---${broker('two')}`);
    assert.match(await says(`apply -f - ${prune}`, broker('one')), /broker.*\/two pruned/);
    assert.match(await fails('get broker two'), /not found/);
  });

  test('waits for a field and for an end, prints columns, sorts, merges core kinds strategically', async () => {
    await says('create configmap words --from-literal=a=b');
    assert.match(await says('patch cm words --type strategic -p {"data":{"c":"d"}}'), /patched/);
    assert.match(await says('wait --for=jsonpath={.data.c}=d cm/words'), /condition met/);
    assert.equal(await says('get cm words -o custom-columns=N:.metadata.name,A:.data.a'), 'N       A\nwords   b\n');
    await says('apply -f -', `${broker('a-first')}---${broker('z-last')}`);
    const sorted = await says('get brokers -o name --sort-by=.metadata.creationTimestamp');
    assert.ok(sorted.includes('a-first'), sorted);
    const waiting = says('wait --for=delete cm/words --timeout=30s');
    await says('delete cm words');
    await waiting;
    assert.match(await says('delete brokers -l team=blue'), /"z-last" deleted/);
  });
});
