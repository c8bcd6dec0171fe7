import assert from 'node:assert/strict';

import fc from 'fast-check';

import type { ObjectStore } from './store.ts';
import { TRIGGERS, create, remove, shown, triggerKey, update } from './testing.ts';

/** What may happen to a store, in any order. */
type Step =
  | { readonly do: 'write'; readonly ops: readonly Op[] }
  | { readonly do: 'settle' }
  | { readonly do: 'watch'; readonly back: number; readonly namespace: string | undefined }
  | { readonly do: 'end'; readonly nth: number }
  | { readonly do: 'compact'; readonly keep: number }
  | { readonly do: 'reopen' };

/** A change to one of a few objects, which expects what is there or something else. */
interface Op {
  readonly name: string;
  readonly namespace: string;
  readonly spec: number;
  readonly removes: boolean;
  readonly isRight: boolean;
}

const namespace = fc.constantFrom('one', 'two');
const op: fc.Arbitrary<Op> = fc.record({
  name: fc.constantFrom('a', 'b'),
  namespace,
  spec: fc.nat(3),
  removes: fc.boolean(),
  isRight: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), ops: fc.array(op, { minLength: 1, maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('watch'),
      back: fc.nat(6),
      namespace: fc.option(namespace, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end'), nth: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact'), keep: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen') }) },
);

/** What the store should know, worked out the plain way. */
class Model {
  readonly log: { place: string; namespace: string; shown: string; spec: number | undefined }[] = [];
  readonly objects = new Map<string, { version: string; spec: number }>();

  /** The change that the store is asked for. It is worked out here too, with all those before it. */
  changesOf(ops: readonly Op[]) {
    const objects = new Map(this.objects);
    const log = [...this.log];
    let isMade = true;
    const changes = ops.map(({ name, namespace, spec, removes, isRight }) => {
      const place = `${namespace}/${name}`;
      const key = triggerKey(name, namespace);
      const there = objects.get(place);
      isMade &&= isRight && !(removes && there === undefined);
      const version = String(log.length + 1);
      const record = (type: string, spec: number | undefined) =>
        log.push({ place, namespace, shown: `${type} ${place}@${version}`, spec });
      const expected = isRight ? there?.version : '999999';
      if (removes) {
        record('DELETED', undefined);
        objects.delete(place);
        return remove(key, expected ?? '1');
      }
      if (there?.spec !== spec) {
        record(there === undefined ? 'ADDED' : 'MODIFIED', spec);
        objects.set(place, { version, spec });
      }
      return expected === undefined ? create(key, spec) : update(key, expected, spec);
    });
    if (isMade) {
      this.log.splice(0, Infinity, ...log);
      this.objects.clear();
      for (const [place, object] of objects) this.objects.set(place, object);
    }
    return { changes, isMade };
  }
}

interface Watcher {
  readonly after: number;
  readonly namespace: string | undefined;
  readonly told: string[];
  /** How far the log was when it ended. */
  upTo: number | undefined;
  end(): void;
}

/** Any interleaving of writes, watches from any version, compactions and restarts leaves nobody with a false state. */
export async function watchesAreTrue(
  open: () => Promise<{ store: ObjectStore; reopen?: (() => Promise<ObjectStore>) | undefined; end(): Promise<void> }>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const under = await open();
      try {
        await run(under.store, under.reopen, steps);
      } finally {
        await under.end();
      }
    }),
    { numRuns: 150 },
  );
}

async function run(
  opened: ObjectStore,
  reopen: (() => Promise<ObjectStore>) | undefined,
  steps: readonly Step[],
): Promise<void> {
  let store = opened;
  const model = new Model();
  const watchers: Watcher[] = [];
  let oldest = 0;
  let pending: Promise<unknown>[] = [];
  const settle = async () => {
    await Promise.all(pending);
    pending = [];
  };
  const endAll = () => {
    for (const watcher of watchers) endWatch(watcher);
  };
  function endWatch(watcher: Watcher): void {
    watcher.upTo ??= Number(store.resourceVersion);
    watcher.end();
  }

  for (const step of steps) {
    if (step.do === 'write') {
      const { changes, isMade } = model.changesOf(step.ops);
      const written = store.write(changes);
      pending.push(isMade ? written : assert.rejects(written));
    } else if (step.do === 'settle') {
      await settle();
    } else if (step.do === 'watch') {
      const { namespace } = step;
      const after = Number(store.resourceVersion) - step.back;
      const told: string[] = [];
      const begin = () =>
        store.watch(TRIGGERS, namespace, String(after), { event: (event) => told.push(shown(event)) });
      if (after < oldest) assert.throws(begin, { name: 'Gone' });
      else watchers.push({ after, namespace, told, upTo: undefined, end: begin() });
    } else if (step.do === 'end') {
      const watcher = watchers[step.nth];
      if (watcher !== undefined) endWatch(watcher);
    } else if (step.do === 'compact') {
      await settle();
      await store.compact(step.keep);
      oldest = Math.max(oldest, Number(store.resourceVersion) - step.keep);
    } else if (reopen !== undefined) {
      await settle();
      endAll();
      store = await reopen();
    }
  }
  await settle();
  endAll();

  assert.equal(store.resourceVersion, String(model.log.length));
  const present = store.list(TRIGGERS).items.map((it) => [`${it.metadata.namespace}/${it.metadata.name}`, it['spec']]);
  assert.equal(present.length, model.objects.size);
  assert.deepEqual(
    new Map(present as [string, unknown][]),
    new Map([...model.objects].map(([at, it]) => [at, it.spec])),
  );
  for (const { after, namespace, told, upTo } of watchers) {
    const due = model.log.slice(after, upTo).filter((it) => namespace === undefined || it.namespace === namespace);
    assert.deepEqual(
      told,
      due.map((it) => it.shown),
    );
  }
}
