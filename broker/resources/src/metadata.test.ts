import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultPathsOf, faultsOf, receiptsOf, resourceOf } from './testing.ts';

const configMap = (metadata: unknown) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata });

describe('metadata', () => {
  test('has the namespace "default" unless said', () => {
    assert.deepEqual(resourceOf('ConfigMap', configMap({ name: 'a' })).metadata, { name: 'a', namespace: 'default' });
    assert.equal(resourceOf('ConfigMap', configMap({ name: 'a', namespace: null })).metadata.namespace, 'default');
    assert.equal(resourceOf('ConfigMap', configMap({ name: 'a', namespace: 'team' })).metadata.namespace, 'team');
  });

  for (const name of ['a', 'a-b.c-1', '0', 'a'.repeat(253)]) {
    test(`may have the name ${name.slice(0, 20)}`, () => assert.deepEqual(faultsOf(configMap({ name })), []));
  }

  for (const name of ['', 'A', '-a', 'a-', 'a..b', 'a_b', 'a/b', 'a b', 'ä', 'a'.repeat(254), undefined]) {
    test(`may not have the name ${JSON.stringify(name)?.slice(0, 20)}`, () =>
      assert.deepEqual(faultPathsOf(configMap({ name })), ['metadata.name']));
  }

  for (const namespace of ['', 'A', 'a.b', 'a'.repeat(64)]) {
    test(`may not have the namespace ${JSON.stringify(namespace).slice(0, 20)}`, () =>
      assert.deepEqual(faultPathsOf(configMap({ name: 'a', namespace })), ['metadata.namespace']));
  }

  test('may have labels and annotations by qualified names', () => {
    const labels = { app: 'agent', 'example.com/tier_1': '', x: 'A.b-c_1' };
    const annotations = { 'example.com/note': 'any text\nat all', 'Example.com/UPPER': '' };
    assert.deepEqual(faultsOf(configMap({ name: 'a', labels, annotations })), []);
  });

  test('may not have labels of other names and values', () => {
    const labels = { 'a b': 'x', '/x': 'x', 'A.com/x': 'x', long: 'x'.repeat(64), odd: '-x' };
    assert.deepEqual(faultPathsOf(configMap({ name: 'a', labels })).toSorted(), [
      'metadata.labels.long',
      'metadata.labels.odd',
      'metadata.labels["/x"]',
      'metadata.labels["A.com/x"]',
      'metadata.labels["a b"]',
    ]);
  });

  test('may not have more than 256 KiB of annotations', () => {
    const annotations = { a: 'x'.repeat(256 * 1024) };
    assert.deepEqual(faultPathsOf(configMap({ name: 'a', annotations })), ['metadata.annotations']);
  });

  test('reads numbers and booleans as texts, with receipts that do not show them', () => {
    const text = configMap({ name: 'a', labels: { version: 1, live: true } });
    assert.deepEqual(resourceOf('ConfigMap', text).metadata.labels, { version: '1', live: 'true' });
    assert.deepEqual(receiptsOf(text), [
      'metadata.labels.version is a number, read as text: quote it to say so',
      'metadata.labels.live is a boolean, read as text: quote it to say so',
    ]);
  });

  test('may not hold what it does not know', () => {
    assert.deepEqual(faultsOf(configMap({ name: 'a', anotations: {} })), [
      'metadata.anotations: unknown field "metadata.anotations": expected one of name, namespace, labels, annotations, got "anotations"',
    ]);
  });
});
