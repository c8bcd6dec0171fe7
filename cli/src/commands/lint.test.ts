import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { parse } from 'yaml';

import { runMillrace, trigger } from '../testing/millrace.ts';

const LENIENT = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: search }
spec: { template: { spec: { containers: [{ image: search }] } } }
---
apiVersion: flows.knative.dev/v1
kind: Parallel
metadata:
  name: gather
  annotations: { millrace.dev/join: all }
spec:
  branches:
  - subscriber: { ref: { kind: Service, name: search } }
  - subscriber: { ref: { kind: Service, name: nowhere } }
    filters: [{ exact: { type: asked } }]
  reply: { ref: { kind: Broker, name: default } }
`;

describe('millrace lint', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-lint-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  test('says how much there is when nothing is wrong', async () => {
    const file = write('good.yaml', trigger('fine', 'http://127.0.0.1:1/'));
    const { code, stdout, stderr } = await runMillrace(['lint', '-f', file]);
    assert.deepEqual([code, stdout, stderr], [0, '', '1 resource, 0 faults, 0 notes\n']);
  });

  test('notes once what is understood and not run; --strict makes a fault of it', async () => {
    const text = 'apiVersion: sinks.knative.dev/v1alpha1\nkind: JobSink\nmetadata: { name: job }\nspec: { job: {} }\n';
    const file = write('job-sink.yaml', text);
    const { code, stderr } = await runMillrace(['lint', '-f', file]);
    assert.equal(code, 0);
    assert.equal(
      stderr,
      `${file}:1:1 JobSink/default/job: a JobSink is not run by this version: use a Service: its function is started for an event and ends after it\n1 resource, 0 faults, 1 note\n`,
    );
    const strict = await runMillrace(['lint', '--strict', '-f', file]);
    assert.equal(strict.code, 6);
    assert.match(strict.stdout, /JobSink\/default\/job: will not be ready: NotSupported: a JobSink is not run/);
  });

  test('prints each fault with its place: of a field, and of what only all resources together show', async () => {
    const unknown = write('unknown.yaml', trigger('a', 'http://127.0.0.1:1/', 'retries: 3'));
    const filter = write('filter.yaml', trigger('b', 'http://127.0.0.1:1/', 'filters: [{ cesql: "type =" }]'));
    const { code, stdout, stderr } = await runMillrace(['lint', '-f', unknown, '-f', filter]);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(code, 6);
    assert.equal(lines.length, 2, stdout);
    assert.ok(lines[0]!.startsWith(`${unknown}:9:3 spec.retries: `), lines[0]);
    assert.ok(lines[1]!.startsWith(`${filter}:9:15 spec.filters[0].cesql: `), lines[1]);
    assert.match(stderr, /^millrace: \d resources?, 2 faults, 0 notes\n$/);
  });

  test('reads a whole folder', async () => {
    const project = join(folder, 'project');
    mkdirSync(project);
    write('project/one.yaml', trigger('one', 'http://127.0.0.1:1/'));
    write('project/two.yaml', trigger('one', 'http://127.0.0.1:1/'));
    const { code, stdout } = await runMillrace(['lint', '-f', project]);
    assert.equal(code, 6);
    assert.match(stdout, /two\.yaml:3:1 .*Trigger\/default\/one is declared twice/);
  });

  test('notes beside the data what cannot become ready, and counts it as a fault when strict', async () => {
    const file = write(
      'lost.yaml',
      trigger('lost', 'http://127.0.0.1:1/').replace('broker: default', 'broker: nowhere'),
    );
    const note = `${file}:3:1 Trigger/default/lost: will not be ready: BrokerDoesNotExist: the Broker default/nowhere is not declared\n`;
    const lenient = await runMillrace(['lint', '-f', file]);
    assert.deepEqual([lenient.code, lenient.stdout, lenient.stderr], [0, '', `${note}1 resource, 0 faults, 1 note\n`]);
    const strict = await runMillrace(['lint', '-f', file, '--strict']);
    assert.deepEqual([strict.code, strict.stdout], [6, note]);
    assert.equal(strict.stderr, 'millrace: 1 resource, 1 fault, 0 notes\n');
  });

  test('takes what Knative refuses, and says what for; when strict it is a fault in the words of Knative', async () => {
    const file = write('lenient.yaml', LENIENT);
    const it = 'Parallel/default/gather: ';
    const join = `${file}:11:18 ${it}the join has no millrace.dev/join-deadline: PT10M is taken, then it goes on with what has come`;
    const unready = `${file}:7:1 ${it}will not be ready: NotFound: spec.branches[1].subscriber: the Service default/nowhere is not declared`;
    const lenient = await runMillrace(['lint', '-f', file]);
    assert.deepEqual([lenient.code, lenient.stdout], [0, '']);
    assert.deepEqual(lenient.stderr.trimEnd().split('\n'), [
      join,
      `${file}:14:19 ${it}spec.branches[0].subscriber.ref has no apiVersion: Service search is taken as the function default/search (serving.knative.dev/v1)`,
      `${file}:15:19 ${it}spec.branches[1].subscriber.ref has no apiVersion: no Service default/nowhere is declared (looked for in serving.knative.dev/v1)`,
      `${file}:17:12 ${it}spec.reply.ref has no apiVersion: Broker default is taken as the Broker default/default (eventing.knative.dev/v1)`,
      unready,
      '2 resources, 0 faults, 5 notes',
    ]);
    const strict = await runMillrace(['lint', '-f', file, '--strict']);
    assert.equal(strict.code, 6);
    assert.deepEqual(strict.stderr.trimEnd().split('\n'), [join, 'millrace: 2 resources, 5 faults, 1 note']);
    const missing = (path: string) => `${path}.apiVersion: missing field(s): ${path}.apiVersion: `;
    const expected = [
      `${file}:14:19 ${missing('spec.branches[0].subscriber.ref')}`,
      `${file}:15:19 ${missing('spec.branches[1].subscriber.ref')}`,
      `${file}:16:5 spec.branches[1].filters: strict decoding error: unknown field "spec.branches[1].filters": `,
      `${file}:17:12 ${missing('spec.reply.ref')}`,
      unready,
    ];
    const lines = strict.stdout.trimEnd().split('\n');
    assert.equal(lines.length, expected.length, strict.stdout);
    for (const [index, line] of lines.entries()) assert.ok(line.startsWith(expected[index]!), line);
  });

  test('gives programs the faults and the notes', async () => {
    const file = write('prose.yaml', 'just words\n');
    const { code, stdout } = await runMillrace(['lint', '-f', file, '-o', 'json']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      resources: 0,
      faults: [],
      receipts: [
        {
          place: { file, line: 1, column: 1 },
          resource: '',
          path: '',
          message: 'no resource in this document',
          refused: true,
        },
      ],
    });
    const yaml = await runMillrace(['lint', '-f', file, '-o', 'yaml', '--strict']);
    assert.equal(yaml.code, 6);
    assert.equal((parse(yaml.stdout) as { faults: unknown[] }).faults.length, 1);
  });

  test('a file that is not there is a fault', async () => {
    const { code, stdout } = await runMillrace(['lint', '-f', join(folder, 'nowhere')]);
    assert.equal(code, 6);
    assert.match(stdout, /nowhere:1:1 expected a readable file or folder, got ENOENT\n/);
  });
});
