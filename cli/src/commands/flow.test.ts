import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { flow, openFlowAdmin } from '@millrace/bus/admin/flows.fixture';
import type { FlowAdmin } from '@millrace/bus/admin/flows.fixture';
import type { Graph } from '@millrace/bus/plan/graph';

import { startBus } from '../../../test/support/bus.ts';
import type { TestBus } from '../../../test/support/bus.ts';
import { deadAddress, runMillrace } from '../testing/millrace.ts';

const BROKER = { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } };
const MANIFEST =
  flow.sequence('research', { steps: [{ uri: 'http://one/' }, { uri: 'http://two/' }], reply: BROKER }) +
  flow.trigger('asked', {
    filters: [{ exact: { type: 'asked' } }],
    subscriber: { ref: { apiVersion: 'flows.knative.dev/v1', kind: 'Sequence', name: 'research' } },
  }) +
  flow.choice('default', { choices: [{ filters: [{ exact: { type: 'a' } }], subscriber: { uri: 'http://a/' } }] });

const SEQUENCE = [
  'sequence default/research',
  '├─ step one -> http://one/',
  '├─ step two -> http://two/',
  '└─ outcome -> broker default/default',
  '',
].join('\n');

describe('millrace flow graph', () => {
  let folder: string;
  let file: string;
  let bus: TestBus;
  let admin: FlowAdmin;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-flow-'));
    file = join(folder, 'flows.yaml');
    writeFileSync(file, MANIFEST);
    bus = await startBus();
    await bus.apply(MANIFEST);
    admin = await openFlowAdmin(bus);
  });
  after(async () => {
    await admin[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const graph = (args: readonly string[], address = admin.url) =>
    runMillrace(['flow', 'graph', ...args], { environment: { MILLRACE_ADMIN: address } });

  test('draws the running process and manifests the same way, these without a process', async () => {
    const [running, declared] = await Promise.all([graph([]), graph(['-f', file], await deadAddress())]);
    assert.deepEqual([running.code, running.stderr, declared.code, declared.stderr], [0, '', 0, '']);
    assert.equal(running.stdout, declared.stdout);
    assert.ok(running.stdout.includes(SEQUENCE), running.stdout);
    assert.match(running.stdout, /trigger default\/asked \[type = asked\] -> sequence default\/research/);
    const nobody = await graph([], await deadAddress());
    assert.equal(nobody.code, 5);
  });

  test('keeps to what is around a name, whole or short', async () => {
    const names = ['research', 'default/research', 'sequence/default/research'];
    const drawn = await Promise.all(names.map((name) => graph([name])));
    for (const { stdout } of drawn) {
      assert.equal(stdout, drawn[0]!.stdout);
      assert.ok(stdout.includes(SEQUENCE), stdout);
      assert.doesNotMatch(stdout, /choice/);
    }
  });

  test('says when a name is unknown, or may be several', async () => {
    const [unknown, several] = await Promise.all([graph(['nothing']), graph(['default'])]);
    assert.equal(unknown.code, 3);
    assert.match(
      unknown.stderr,
      /^millrace: there is no broker, channel, source or flow "nothing"; there are sequence\//,
    );
    assert.equal(several.code, 2);
    assert.match(
      several.stderr,
      /"default" may be any of choice\/default\/default, broker\/default\/default: say which/,
    );
  });

  test('draws for Mermaid, for Graphviz and for programs', async () => {
    const [mermaid, dot, json] = await Promise.all(['mermaid', 'dot', 'json'].map((format) => graph(['-o', format])));
    assert.match(mermaid!.stdout, /^flowchart LR\n/);
    assert.match(dot!.stdout, /^digraph millrace \{\n[^]*\n\}\n$/);
    const { nodes, edges } = JSON.parse(json!.stdout) as Graph;
    assert.ok(nodes.some(({ id }) => id === 'sequence/default/research'));
    assert.ok(edges.some(({ to }) => to === 'sequence/default/research'));
  });

  test('draws no manifests with faults', async () => {
    const faulty = join(folder, 'faulty.yaml');
    writeFileSync(faulty, flow.sequence('research', { steps: [] }));
    const { code, stdout, stderr } = await graph(['-f', faulty]);
    assert.deepEqual([code, stdout], [6, '']);
    assert.match(stderr, /^millrace: there are faults in the manifests:\n {2}.*faulty\.yaml:\d+:\d+.*spec\.steps/);
  });
});
