import { isDeepStrictEqual } from 'node:util';

import { isRecord, setOwn } from './json.ts';
import { badRequest, Refusal } from './status.ts';

/** More operations in one patch are refused, as Kubernetes does it. */
const MAX_OPERATIONS = 10_000;

/** A JSON patch (RFC 6902) on a copy of the document. Throws a Refusal where it is no patch, or cannot be made. */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('expected a JSON patch: a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw badRequest(`the allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`);
  }
  const root = { document: structuredClone(document) };
  for (const [index, operation] of patch.entries()) {
    if (!isRecord(operation)) throw badRequest(`expected an operation at [${index}] of the JSON patch`);
    perform(root, operation, index);
  }
  return root.document;
}

interface Root {
  document: unknown;
}

function perform(root: Root, { op, path, from, value }: Record<string, unknown>, index: number): void {
  const refuse = (why: string) => cannot(`${String(op)} operation at [${index}] does not apply: ${why}`);
  const target = stepsOf(path, refuse);
  switch (op) {
    case 'add':
      return add(root, target, structuredClone(value), refuse);
    case 'remove':
      return void take(root, target, refuse);
    case 'replace':
      if (target.length === 0) root.document = value;
      else {
        take(root, target, refuse);
        add(root, target, structuredClone(value), refuse);
      }
      return;
    case 'move':
      return add(root, target, take(root, stepsOf(from, refuse), refuse), refuse);
    case 'copy':
      return add(root, target, structuredClone(at(root, stepsOf(from, refuse), refuse)), refuse);
    case 'test':
      if (isDeepStrictEqual(at(root, target, refuse), value)) return;
      throw refuse(`testing value ${String(path)} failed`);
    default:
      throw refuse('expected one of add, remove, replace, move, copy, test');
  }
}

type Refuse = (why: string) => Refusal;

function stepsOf(pointer: unknown, refuse: Refuse): string[] {
  if (typeof pointer !== 'string' || !/^(?:\/|$)/.test(pointer)) throw refuse('expected a JSON pointer');
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function at(root: Root, steps: readonly string[], refuse: Refuse): unknown {
  return steps.reduce<unknown>((holder, step) => {
    const inner = Array.isArray(holder)
      ? holder[indexOf(step, holder.length - 1, refuse)]
      : isRecord(holder) && Object.hasOwn(holder, step)
        ? holder[step]
        : undefined;
    if (inner === undefined) throw refuse(`there is nothing at /${steps.join('/')}`);
    return inner;
  }, root.document);
}

function add(root: Root, steps: readonly string[], value: unknown, refuse: Refuse): void {
  if (steps.length === 0) {
    root.document = value;
    return;
  }
  const holder = at(root, steps.slice(0, -1), refuse);
  const last = steps.at(-1)!;
  if (Array.isArray(holder)) {
    holder.splice(last === '-' ? holder.length : indexOf(last, holder.length, refuse), 0, value);
  } else if (isRecord(holder)) setOwn(holder, last, value);
  else throw refuse(`/${steps.slice(0, -1).join('/')} holds neither fields nor items`);
}

function take(root: Root, steps: readonly string[], refuse: Refuse): unknown {
  const value = at(root, steps, refuse);
  if (steps.length === 0) throw refuse('the document itself cannot be removed');
  const holder = at(root, steps.slice(0, -1), refuse) as unknown[] | Record<string, unknown>;
  const last = steps.at(-1)!;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return value;
}

function indexOf(step: string, most: number, refuse: Refuse): number {
  if (/^(?:0|[1-9]\d*)$/.test(step) && Number(step) <= most) return Number(step);
  throw refuse(`there is no item ${step}`);
}

/** The words that Kubernetes says to clients, and what it is about. */
function cannot(why: string): Refusal {
  const message = `the server rejected our request due to an error in our request: ${why}`;
  return new Refusal(422, 'Invalid', message, {});
}
