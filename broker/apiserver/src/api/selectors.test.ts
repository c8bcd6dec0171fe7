import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { KubernetesObject } from '../objects/object.ts';
import { registryOf, servedKinds } from '../registry/registry.ts';
import { fieldSelector, labelSelector } from './selectors.ts';

const labelled = (labels: Record<string, string>) => ({ metadata: { labels } }) as unknown as KubernetesObject;

describe('a label selector', () => {
  const cases: readonly [selector: string, labels: Record<string, string>, selects: boolean][] = [
    ['a=b', { a: 'b' }, true],
    ['a == b', { a: 'c' }, false],
    ['a=', { a: '' }, true],
    ['a=', {}, false],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['! a', { a: '1' }, false],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b,c)', {}, false],
    ['a in (,b)', { a: '' }, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['a notin (b,c)', {}, true],
    ['a>1', { a: '2' }, true],
    ['a<2', { a: 'x' }, false],
    ['example.com/a=b.c_d-e,x', { 'example.com/a': 'b.c_d-e', x: '' }, true],
    ['a in (b),c notin (d),e', { a: 'b', c: 'd', e: '' }, false],
    ['toString', {}, false],
    ['constructor!=x', {}, true],
  ];
  for (const [selector, labels, selects] of cases) {
    test(`${selector} ${selects ? 'selects' : 'passes over'} ${JSON.stringify(labels)}`, () => {
      assert.equal(labelSelector(selector)?.(labelled(labels)), selects);
    });
  }

  for (const selector of ['a=b=c', 'a in b', 'a in (b', '=b', 'a b', 'a,,b', '(a)', 'a in (b c)', 'ä']) {
    test(`${selector} is refused`, () => assert.throws(() => labelSelector(selector), /unable to parse requirement/));
  }

  test('that is empty is none', () => assert.equal(labelSelector(' '), undefined));
});

test('a field selector selects by name, and by what its kind says', () => {
  const event = registryOf(servedKinds()).ofType({ group: '', kind: 'Event' })!;
  const object = {
    metadata: { name: 'e,1', namespace: 'default' },
    involvedObject: { name: 'x' },
  } as unknown as KubernetesObject;
  const selects = (text: string) => fieldSelector(text, event)?.(object);
  assert.equal(selects(String.raw`metadata.name=e\,1,involvedObject.name==x`), true);
  assert.equal(selects('involvedObject.name!=x'), false);
  assert.equal(selects('type='), true);
  assert.throws(() => selects('message=x'), /field label not supported: message/);
  assert.throws(() => selects('message'), /can't understand 'message'/);
});
