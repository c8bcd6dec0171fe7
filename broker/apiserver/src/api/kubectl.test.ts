import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { provideKubectl } from '../../../../test/support/kubectl.ts';
import { startApi } from './testing.ts';
import type { TestApi } from './testing.ts';

const kubectl = await provideKubectl();

const BROKER = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default }
`;

const trigger = (type: string, more = '') => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: urgent, labels: { team: blue } }
spec:
  broker: default
  filter: { attributes: { type: ${type} } }
  subscriber: { uri: http://localhost:1/ }
${more}`;

describe('the real kubectl', { skip: 'skip' in kubectl ? kubectl.skip : false }, () => {
  let api: TestApi;
  let folder: string;

  before(async () => {
    api = await startApi();
    folder = mkdtempSync(join(tmpdir(), 'millrace-kubectl-'));
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const command = 'component' in kubectl ? kubectl.component : '';
  const environment = () => ({ PATH: process.env['PATH'], HOME: folder, KUBECONFIG: '/dev/null' });
  const args = (line: readonly string[]) => ['--server', api.url, '--cache-dir', join(folder, 'cache'), ...line];

  /** Runs it to its end; gives what it printed and its code. */
  function run(line: readonly string[], input = '', more: Record<string, string> = {}) {
    return new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const options = { env: { ...environment(), ...more }, timeout: 30_000 };
      const child = execFile(command, args(line), options, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      });
      child.stdin!.end(input);
    });
  }
  /** What it prints when it succeeds. */
  async function says(line: readonly string[], input?: string, more?: Record<string, string>): Promise<string> {
    const { code, out, err } = await run(line, input, more);
    assert.equal(code, 0, `kubectl ${line.join(' ')}: ${err}${out}`);
    return out;
  }
  /** What it complains of when it fails. */
  async function fails(line: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await run(line, input);
    assert.notEqual(code, 0, out);
    return err;
  }
  const apply = (manifest: string, ...more: string[]) => says(['apply', '-f', '-', ...more], manifest);

  test('knows the version and the kinds', async () => {
    assert.match(await says(['version']), /Server Version: v1\.32\.0\+millrace/);
    const kinds = await says(['api-resources']);
    assert.match(kinds, /^triggers +eventing.knative.dev\/v1 +true +Trigger$/m);
    assert.match(kinds, /^channels +ch +messaging.knative.dev\/v1 +true +Channel$/m);
  });

  test('explains fields', async () => {
    const told = await says(['explain', 'trigger.spec.filters']);
    assert.match(told, /FIELD: filters <\[\]Filter>/);
    assert.match(told, /cesql\t<string>\n +a CESQL expression/);
  });

  test('applies: created, unchanged, configured, and shows a difference before', async () => {
    assert.equal(await apply(BROKER), 'broker.eventing.knative.dev/default created\n');
    assert.equal(await apply(trigger('a')), 'trigger.eventing.knative.dev/urgent created\n');
    assert.equal(await apply(trigger('a')), 'trigger.eventing.knative.dev/urgent unchanged\n');
    const { code, out } = await run(['diff', '-f', '-'], trigger('b'));
    assert.equal(code, 1);
    assert.match(out, /^-\s+type: a$/m);
    assert.match(out, /^\+\s+type: b$/m);
    assert.match(await apply(trigger('b'), '--dry-run=server'), /configured \(server dry run\)/);
    assert.equal(await says(['get', 'trigger', 'urgent', '-o', 'jsonpath={.spec.filter.attributes.type}']), 'a');
    assert.equal(await apply(trigger('b')), 'trigger.eventing.knative.dev/urgent configured\n');
    assert.equal(await says(['get', 'trigger', 'urgent', '-o', 'jsonpath={.metadata.generation}']), '2');
  });

  test('shows tables, wide ones, selections, categories, YAML', async () => {
    const table = await says(['get', 'triggers']);
    assert.match(table, /^NAME +BROKER +SUBSCRIBER_URI +AGE +READY +REASON *\nurgent +default +/);
    assert.match(await says(['get', 'brokers', '-o', 'wide']), /REASON +CLASS *\ndefault .* Millrace *\n$/);
    assert.match(await says(['get', 'trigger', '-l', 'team in (blue)']), /^urgent/m);
    assert.equal(await says(['get', 'trigger', '-l', 'team=red', '-o', 'name']), '');
    assert.match(await says(['get', 'trigger', '--field-selector', 'metadata.name=urgent']), /^urgent/m);
    assert.match(await says(['get', 'all']), /^trigger.eventing.knative.dev\/urgent /m);
    assert.match(await says(['get', 'knative', '-A']), /^default +broker.eventing.knative.dev\/default /m);
    assert.match(await says(['get', 'trigger', 'urgent', '-o', 'yaml']), /\n {2}broker: default\n/);
  });

  test('labels, annotates, patches, edits, replaces', async () => {
    assert.match(await says(['label', 'trigger', 'urgent', 'shift=night']), /labeled/);
    assert.match(await says(['annotate', 'trigger', 'urgent', 'note=x']), /annotated/);
    const patch = (type: string, text: string, ...more: string[]) =>
      says(['patch', 'trigger', 'urgent', '--type', type, '-p', text, ...more]);
    assert.match(await patch('merge', '{"spec":{"delivery":{"retry":3}}}'), /patched/);
    assert.match(await patch('json', '[{"op":"replace","path":"/spec/delivery/retry","value":4}]'), /patched/);
    await says(['edit', 'trigger', 'urgent'], '', { KUBE_EDITOR: 'sed -i "s/retry: 4/retry: 5/"' });
    assert.equal(await says(['get', 'trigger', 'urgent', '-o', 'jsonpath={.spec.delivery.retry}']), '5');
    const ready = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}';
    assert.match(await patch('merge', ready, '--subresource=status'), /patched/);
    assert.match(await says(['wait', '--for=condition=Ready', 'trigger/urgent', '--timeout=20s']), /condition met/);
    assert.match(await says(['replace', '-f', '-'], trigger('c')), /replaced/);
    assert.match(await says(['get', 'trigger', 'urgent']), /True/, 'replacing leaves the status alone');
  });

  test('describes, with the events of the object', async () => {
    const uid = await says(['get', 'trigger', 'urgent', '-o', 'jsonpath={.metadata.uid}']);
    const involved = { kind: 'Trigger', namespace: 'default', name: 'urgent', uid };
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'urgent.1' }, involvedObject: involved };
    await says(
      ['create', '-f', '-'],
      JSON.stringify({ ...event, type: 'Warning', reason: 'Late', message: 'so late' }),
    );
    const told = await says(['describe', 'trigger', 'urgent']);
    assert.match(told, /Broker: +default/);
    assert.match(told, /Warning +Late +.*so late/);
    assert.match(await says(['get', 'events']), /Warning +Late +trigger\/urgent +so late/);
  });

  test('creates what it sends as protobuf, and does not show what is secret', async () => {
    assert.match(await says(['create', 'namespace', 'night']), /namespace\/night created/);
    assert.match(await says(['create', 'secret', 'generic', 'key', '--from-literal=token=hush']), /created/);
    assert.match(await says(['create', 'configmap', 'words', '--from-literal=a=b']), /created/);
    assert.match(await says(['create', 'serviceaccount', 'worker']), /created/);
    assert.match(await says(['get', 'secret,cm,ns']), /^secret\/key +Opaque +1 /m);
    assert.doesNotMatch(await says(['describe', 'secret', 'key']), /hush|aHVzaA/);
    assert.equal(await says(['get', 'secret', 'key', '-o', 'jsonpath={.data.token}']), 'aHVzaA==');
    assert.equal(await says(['get', 'configmap', 'words', '-o', 'jsonpath={.data.a}']), 'b');
    assert.equal(await says(['auth', 'can-i', 'create', 'triggers']), 'yes\n');
  });

  test('applies on the server, with conflicts, and takes over', async () => {
    const server = (manifest: string, ...more: string[]) =>
      run(['apply', '--server-side', '-f', '-', ...more], manifest.replace('urgent', 'shared'));
    assert.equal((await server(trigger('a'))).out, 'trigger.eventing.knative.dev/shared serverside-applied\n');
    const other = await server(trigger('b'), '--field-manager=other');
    assert.equal(other.code, 1);
    assert.match(other.err, /Apply failed with 1 conflict: conflict with "kubectl": \.spec\.filter\.attributes\.type/);
    assert.equal((await server(trigger('b'), '--field-manager=other', '--force-conflicts')).code, 0);
    assert.equal(await says(['get', 'trigger', 'shared', '-o', 'jsonpath={.spec.filter.attributes.type}']), 'b');
    // From one way of applying to the other, also with something new.
    await apply(trigger('a').replace('urgent', 'mixed'));
    await says(['apply', '--server-side', '-f', '-'], trigger('z').replace('urgent', 'mixed'));
    await says(['apply', '--server-side', '-f', '-'], trigger('y1').replace('urgent', 'mixed'));
    const managers = await says(['get', 'trigger', 'mixed', '-o', 'jsonpath={.metadata.managedFields[*].manager}']);
    assert.doesNotMatch(managers, /client-side/);
  });

  test('says what is wrong', async () => {
    const bad = (find: string, put: string) => fails(['apply', '-f', '-'], trigger('a').replace(find, put));
    assert.match(await bad('broker: d', 'brokr: d'), /unknown field "spec.brokr" \(did you mean "broker"\?\)/);
    assert.match(await bad('broker: default', 'broker: other'), /spec.broker: Immutable fields changed/);
    assert.match(await bad('knative.dev/v1', 'knative.dev/v9'), /no matches for kind "Trigger" in version/);
    assert.match(await bad('knative.dev/v1', 'knative.dev/v1beta1'), /no matches for kind "Trigger" in version/);
    assert.match(await bad('name: urgent', 'name: x, namespace: nowhere'), /namespaces "nowhere" not found/);
    assert.match(await bad('name: urgent', 'name: Urgent'), /metadata.name: .*"Urgent"/);
    const missing = trigger('a').replace('name: urgent', 'name: fresh').replace('  broker: default\n', '');
    const refused = await fails(['apply', '-f', '-'], missing);
    assert.match(refused, /"fresh" is invalid: spec.broker: missing field\(s\): spec.broker/);
    assert.match(await fails(['create', '-f', '-'], trigger('a')), /triggers.* "urgent" already exists/);
    assert.match(
      await fails(['get', 'trigger', 'nobody']),
      /NotFound.*triggers.eventing.knative.dev "nobody" not found/,
    );
    assert.match(await fails(['get', 'widgets']), /doesn't have a resource type "widgets"/);
    const warned = await run(
      ['create', '--validate=warn', '-f', '-'],
      trigger('a', '  oops: 1\n').replace('urgent', 'odd'),
    );
    assert.match(warned.err, /Warning: unknown field "spec.oops"/);
    assert.match(warned.out, /created/);
  });

  test('watches, and deletes what belongs together', async () => {
    const watching = spawn(command, args(['get', 'triggers', '-w', '-o', 'name']), { env: environment() });
    let seen = '';
    watching.stdout.on('data', (text) => (seen += String(text)));
    const sees = async (pattern: RegExp) => {
      while (!pattern.test(seen)) await once(watching.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    };
    try {
      await sees(/urgent/);
      const owner = await says(['get', 'broker', 'default', '-o', 'jsonpath={.metadata.uid}']);
      const owned = trigger('a').replace(
        'name: urgent,',
        `name: owned, ownerReferences: [{ apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, uid: ${owner} }],`,
      );
      await apply(owned);
      await sees(/owned/);
      assert.match(await says(['delete', 'broker', 'default']), /deleted/);
      assert.match(await fails(['get', 'trigger', 'owned']), /not found/);
      assert.match(await says(['delete', 'triggers', '--all']), /"urgent" deleted/);
      assert.match(await says(['delete', 'namespace', 'night']), /deleted/);
    } finally {
      const gone = once(watching, 'exit');
      watching.kill('SIGKILL');
      await gone;
    }
  });

  test('waits for finalizers', async () => {
    const file = join(folder, 'held.yaml');
    writeFileSync(file, BROKER.replace('name: default', 'name: held, finalizers: [example.com/hold]'));
    await says(['create', '-f', file]);
    await says(['delete', '-f', file, '--wait=false']);
    assert.match(await says(['get', 'broker', 'held', '-o', 'jsonpath={.metadata.deletionTimestamp}']), /^2026/);
    await says(['patch', 'broker', 'held', '--type', 'merge', '-p', '{"metadata":{"finalizers":null}}']);
    assert.match(await fails(['get', 'broker', 'held']), /not found/);
    assert.deepEqual(api.failures, []);
  });
});
