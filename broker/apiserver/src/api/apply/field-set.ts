import type { MergeKeys } from '../../registry/kind.ts';
import { isRecord } from '../json.ts';
import type { JsonRecord } from '../json.ts';

/**
 * One step into an object, as FieldsV1 writes it: `f:name` (a field), `k:{"uid":"…"}` (the item of a list that has that
 * key), `v:"x"` (the item of a set).
 */
export type Step = string;

/** The fields of an object that can have different owners: paths (JSON of their steps) to what stands there. */
export type Leaves = ReadonlyMap<string, unknown>;

/** The path of the steps. */
export function pathOf(steps: readonly Step[]): string {
  return JSON.stringify(steps);
}

/** The steps of a path. */
export function stepsOf(path: string): Step[] {
  return JSON.parse(path) as Step[];
}

// What names the object, and what only the server writes, has no owner.
const UNOWNED = new Set(
  [
    ['apiVersion'],
    ['kind'],
    ...[
      'name',
      'generateName',
      'namespace',
      'uid',
      'resourceVersion',
      'generation',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'managedFields',
      'selfLink',
    ].map((field) => ['metadata', field]),
  ].map((names) => pathOf(names.map((name) => `f:${name}`))),
);

/**
 * The leaves of an object: scalars, empty objects, and lists as a whole, but for those that `keys` name (by path, as
 * `metadata.finalizers`), whose items stand for themselves.
 */
export function leavesOf(object: JsonRecord, keys: MergeKeys): Leaves {
  const leaves = new Map<string, unknown>();
  collect(object, [], '', { keys, leaves });
  return leaves;
}

interface Collection {
  readonly keys: MergeKeys;
  readonly leaves: Map<string, unknown>;
}

function collect(value: unknown, steps: readonly Step[], at: string, collection: Collection): void {
  const { keys, leaves } = collection;
  const path = pathOf(steps);
  if (UNOWNED.has(path)) return;
  if (isRecord(value)) {
    const fields = Object.entries(value);
    if (fields.length === 0 && steps.length > 0) leaves.set(path, value);
    for (const [field, inner] of fields) {
      collect(inner, [...steps, `f:${field}`], at === '' ? field : `${at}.${field}`, collection);
    }
    return;
  }
  const key = keys[at];
  if (!Array.isArray(value) || key === undefined) {
    leaves.set(path, value);
    return;
  }
  for (const item of value as unknown[]) {
    const step = itemStep(item, key);
    if (key === '') leaves.set(pathOf([...steps, step]), item);
    else collect(item, [...steps, step], `${at}[]`, collection);
  }
}

/** The step to an item of a list that is merged by a key, or of a set when the key is ''. */
export function itemStep(item: unknown, key: string): Step {
  return key === '' ? `v:${JSON.stringify(item)}` : `k:${JSON.stringify({ [key]: isRecord(item) ? item[key] : null })}`;
}

/** The paths as a tree of their steps (Kubernetes API: FieldsV1). */
export function toFieldsV1(paths: Iterable<string>): JsonRecord {
  const tree: JsonRecord = {};
  for (const path of paths) {
    let node = tree;
    for (const step of stepsOf(path)) node = (node[step] ??= {}) as JsonRecord;
  }
  return tree;
}

/** The paths of a tree. A `.` in it stands for the node that it is in, which is no leaf of ours. */
export function fromFieldsV1(tree: unknown): Set<string> {
  const paths = new Set<string>();
  const walk = (node: unknown, steps: Step[]) => {
    const inner = Object.entries(isRecord(node) ? node : {}).filter(([step]) => step !== '.');
    if (inner.length === 0 && steps.length > 0) paths.add(pathOf(steps));
    for (const [step, child] of inner) walk(child, [...steps, step]);
  };
  walk(tree, []);
  return paths;
}

/** As messages name it: `.spec.broker`, `.metadata.finalizers["x"]`, `.metadata.ownerReferences[uid="1"]`. */
export function showPath(path: string): string {
  return stepsOf(path)
    .map((step) => {
      const content = step.slice(2);
      if (step.startsWith('f:')) return `.${content}`;
      if (step.startsWith('v:')) return `[${content}]`;
      const fields = Object.entries(JSON.parse(content) as JsonRecord);
      return `[${fields.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}

/** Takes out, in place, what stands at a path, and objects and lists that are empty without it. */
export function removePath(object: JsonRecord, path: string): void {
  removeAt(object, stepsOf(path));
}

function removeAt(holder: unknown, [step, ...rest]: readonly Step[]): void {
  if (step === undefined) return;
  if (step.startsWith('f:')) {
    if (!isRecord(holder)) return;
    const field = step.slice(2);
    if (rest.length > 0) {
      removeAt(holder[field], rest);
      if (!isEmpty(holder[field])) return;
    }
    delete holder[field];
  } else if (Array.isArray(holder)) {
    const index = holder.findIndex((item) => isAt(item, step));
    if (index < 0) return;
    const item: unknown = holder[index];
    if (rest.length > 0) removeAt(item, rest);
    if (rest.length === 0 || isEmpty(item)) holder.splice(index, 1);
  }
}

function isAt(item: unknown, step: Step): boolean {
  if (step.startsWith('v:')) return JSON.stringify(item) === step.slice(2);
  const key = JSON.parse(step.slice(2)) as JsonRecord;
  return isRecord(item) && Object.entries(key).every(([field, value]) => item[field] === value);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
