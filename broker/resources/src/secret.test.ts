import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readManifest } from './manifest.ts';
import { secretValues } from './secret.ts';
import { faultPathsOf, resourceOf } from './testing.ts';

const secretText = (more: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, ...more });

describe('a Secret', () => {
  test('gives its values decoded, plain ones over encoded ones', () => {
    const data = { a: 'aMO2bGxl', b: 'eA==', empty: '', folded: 'aGVs\nbG8=\n' };
    const secret = resourceOf('Secret', secretText({ data, stringData: { b: 'plain', c: 'ünï' } }));
    assert.equal(secret.type, 'Opaque');
    assert.deepEqual(Object.fromEntries(secretValues(secret)), {
      a: 'hölle',
      b: 'plain',
      empty: '',
      folded: 'hello',
      c: 'ünï',
    });
  });

  test('may be empty', () => assert.equal(secretValues(resourceOf('Secret', secretText({}))).size, 0));

  for (const [more, path] of [
    [{ data: { a: 'hunter2!' } }, 'data.a'],
    [{ data: { a: 'hunter2' } }, 'data.a'],
    [{ data: { 'a b': 'aGk=' } }, 'data["a b"]'],
    [{ stringData: { a: ['hunter2'] } }, 'stringData.a'],
    [{ stringData: 'hunter2' }, 'stringData'],
    [{ data: ['hunter2'] }, 'data'],
    [{ strngData: { a: 'hunter2' } }, 'strngData'],
    [{ spec: 'hunter2' }, 'spec'],
  ] as const) {
    test(`of ${JSON.stringify(more)} is refused, without showing the value`, () => {
      assert.deepEqual(faultPathsOf(secretText(more)), [path]);
      assert.ok(!JSON.stringify(readManifest(secretText(more), 'f')).includes('hunter2'));
    });
  }

  test('shows its values in no fault and no receipt, also when it is doubly declared or badly written', () => {
    const good = secretText({ stringData: { a: 'hunter2', b: 20_251 } });
    for (const text of [
      `${good}\n---\n${good}`,
      good.replace('"hunter2"', '"x" hunter2'),
      good.replace('Secret', 'Secrt'),
    ]) {
      const { faults, receipts } = readManifest(text, 'f');
      assert.ok(faults.length > 0);
      assert.ok(!/hunter2|20251/.test(JSON.stringify([faults, receipts])), text);
    }
  });
});
