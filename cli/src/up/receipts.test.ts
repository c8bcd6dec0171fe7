import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { readManifest } from '@millrace/resources/manifest';

import { summaryOf } from './receipts.ts';

const sequence = (file: string, ...steps: object[]) =>
  readManifest(
    [
      'apiVersion: flows.knative.dev/v1',
      'kind: Sequence',
      'metadata: { name: it }',
      'spec:',
      '  steps:',
      ...steps.map((step) => `  - ${JSON.stringify(step)}`),
    ].join('\n'),
    file,
  ).receipts;
const step = (name: string, kind = 'Service') => ({ ref: { kind, name } });

describe('what was assumed, in short,', () => {
  test('is the assumption itself where there is one of its sort', () => {
    assert.deepEqual(summaryOf(sequence('one.yaml', step('a'), step('b', 'Broker'))), [
      'one.yaml:6  spec.steps[0].ref has no apiVersion: kind Service is looked for in serving.knative.dev/v1',
      'one.yaml:7  spec.steps[1].ref has no apiVersion: kind Broker is looked for among the kinds that are known here',
    ]);
  });

  test('counts references alike, file by file, and names the first lines', () => {
    const receipts = [
      ...sequence('one.yaml', step('a'), step('b'), step('c'), step('d'), step('x', 'Broker'), step('y', 'Broker')),
      ...sequence('two.yaml', step('a'), step('b'), step('c')),
      ...sequence('three.yaml', step('a', 'Nothing'), step('b', 'Nothing')),
    ];
    assert.deepEqual(summaryOf(receipts), [
      'one.yaml: 4 references without apiVersion: kind Service is looked for in serving.knative.dev/v1 (lines 6, 7, 8 …)',
      'one.yaml: 2 references without apiVersion: kind Broker is looked for in eventing.knative.dev/v1 (lines 10, 11)',
      'two.yaml: 3 references without apiVersion: kind Service is looked for in serving.knative.dev/v1 (lines 6, 7, 8)',
      'three.yaml: 2 references without apiVersion: kind Nothing is not known here (lines 6, 7)',
    ]);
  });

  test('counts fields alike, once for each line', () => {
    const text =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: 1, b: 2 }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: b }\ndata: { c: 3, d: true }\n';
    assert.deepEqual(summaryOf(readManifest(text, 'c.yaml').receipts), [
      'c.yaml: 3 fields: is a number, read as text: quote it to say so (lines 4, 9)',
      'c.yaml:9  data.d is a boolean, read as text: quote it to say so',
    ]);
  });
});
