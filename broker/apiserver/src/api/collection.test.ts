import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import type { KubernetesObject } from '../objects/object.ts';
import { planDeletion } from './collection.ts';
import type { Propagation, Stored } from './collection.ts';

const NOW = '2026-01-02T03:04:05Z';

/** `a<b!` belongs to b, which waits for it; `a+x` has the finalizer x. */
function stored(text: string, namespace = 'default', more: object = {}): Stored {
  const [, name = '', owners = '', finalizer] = /^(\w+)((?:<\w+!?)*)(?:\+(\w+))?$/.exec(text)!;
  const ownerReferences = owners
    .split('<')
    .slice(1)
    .map((owner) => {
      const uid = owner.replace('!', '');
      return { apiVersion: 'v1', kind: 'Thing', name: uid, uid, blockOwnerDeletion: owner.endsWith('!') };
    });
  const metadata = {
    name,
    namespace,
    uid: name,
    resourceVersion: '1',
    ownerReferences,
    ...(finalizer && { finalizers: [finalizer] }),
    ...more,
  };
  const object = { apiVersion: 'v1', kind: 'Thing', metadata } as unknown as KubernetesObject;
  return { key: { group: '', kind: 'Thing', namespace, name }, object };
}

function namespace(name: string): Stored {
  const metadata = { name, uid: `ns-${name}`, resourceVersion: '1' };
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata,
    status: { phase: 'Active' },
  } as unknown as KubernetesObject;
  return { key: { group: '', kind: 'Namespace', namespace: '', name }, object };
}

/** What becomes of each: `-a` goes, `~a` is written, with its finalizers. */
function plan(objects: Stored[], root: Stored, propagation: Propagation = 'Background'): string[] {
  return planDeletion(objects, root.key, { propagation, now: NOW })
    .map((change) => {
      if (change.kind === 'remove') return `-${change.key.name}`;
      const { deletionTimestamp, finalizers = [] } = change.object.metadata;
      return `${deletionTimestamp === undefined ? '~' : '!'}${change.key.name}${finalizers.map((it) => `+${it}`).join('')}`;
    })
    .toSorted();
}

describe('a deletion', () => {
  const cases: readonly [what: string, objects: string[], propagation: Propagation, expected: string[]][] = [
    ['takes what belongs to it, and what belongs to that', ['a', 'b<a', 'c<b', 'd'], 'Background', ['-a', '-b', '-c']],
    [
      'leaves what belongs to others too, and takes its name out there',
      ['a', 'o', 'b<a<o'],
      'Background',
      ['-a', '~b'],
    ],
    ['only marks what has finalizers, and leaves alone what belongs to that', ['a+x', 'b<a'], 'Background', ['!a+x']],
    [
      'goes on behind what it can take, and stops before what it can not',
      ['a', 'b<a+x', 'c<b'],
      'Background',
      ['!b+x', '-a'],
    ],
    ['in the foreground takes what blocks before', ['a', 'b<a!', 'c<b!'], 'Foreground', ['-a', '-b', '-c']],
    ['in the foreground waits for what blocks', ['a', 'b<a!+x'], 'Foreground', ['!a+foregroundDeletion', '!b+x']],
    ['leaves orphans', ['a', 'b<a', 'c<b'], 'Orphan', ['-a', '~b']],
    ['ends where things belong to each other', ['a<b', 'b<a'], 'Background', ['-a', '-b']],
  ];
  for (const [what, texts, propagation, expected] of cases) {
    test(what, () => {
      const objects = texts.map((text) => stored(text));
      assert.deepEqual(plan(objects, objects[0]!, propagation), expected);
    });
  }

  test('of what has lost its last finalizer lets its waiting owner go', () => {
    const owner = stored('a+foregroundDeletion', 'default', { deletionTimestamp: NOW });
    const last = stored('b<a!', 'default', { deletionTimestamp: NOW });
    assert.deepEqual(plan([owner, last], last), ['-a', '-b']);
  });

  test('of a namespace takes all that is in it, and is told while something holds it', () => {
    const [shop, a, held, other] = [
      namespace('shop'),
      stored('a', 'shop'),
      stored('b+x', 'shop'),
      stored('c', 'other'),
    ];
    assert.deepEqual(plan([shop, a, other], shop), ['-a', '-shop']);
    assert.deepEqual(plan([shop, a, held, other], shop), ['!b+x', '!shop', '-a']);
    const [, told] = planDeletion([shop, held], shop.key, { propagation: 'Background', now: NOW }).toReversed();
    assert.deepEqual(told?.kind === 'put' && told.object['status'], { phase: 'Terminating' });
  });

  test('whatever belongs to whatever: it ends, and nothing that stays belongs to what has gone', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const object = fc.record({
      owners: fc.subarray(names, { maxLength: 2 }),
      blocks: fc.boolean(),
      isHeld: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.tuple(object, object, object, object, object),
        fc.constantFrom<Propagation>('Background', 'Foreground', 'Orphan'),
        (shapes, propagation) => {
          const objects = shapes.map(({ owners, blocks, isHeld }, index) =>
            stored(`${names[index]}${owners.map((it) => `<${it}${blocks ? '!' : ''}`).join('')}${isHeld ? '+x' : ''}`),
          );
          const changes = planDeletion(objects, objects[0]!.key, { propagation, now: NOW });
          const gone = new Set(changes.flatMap((it) => (it.kind === 'remove' ? [it.key.name] : [])));
          const puts = new Map(changes.flatMap((it) => (it.kind === 'put' ? [[it.key.name, it.object]] : [])));
          for (const { key, object: before } of objects) {
            if (gone.has(key.name)) continue;
            const { metadata } = puts.get(key.name) ?? before;
            const isMarked = metadata.deletionTimestamp !== undefined;
            if (isMarked) assert.ok((metadata.finalizers ?? []).length > 0, `${key.name} waits for nobody`);
            if (!isMarked) for (const { uid } of metadata.ownerReferences ?? []) assert.ok(!gone.has(uid), key.name);
          }
          for (const name of gone) assert.ok(!shapes[names.indexOf(name)]!.isHeld, `${name} was held`);
        },
      ),
    );
  });
});
