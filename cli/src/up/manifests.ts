import { compilePlan } from '@millrace/bus/plan/compile';
import type { Plan } from '@millrace/bus/plan/plan';
import { formatFault } from '@millrace/resources/fault';
import type { Fault, Receipt } from '@millrace/resources/fault';
import { readFolder } from '@millrace/resources/folder';
import type { Declared, Manifest } from '@millrace/resources/manifest';
import { keyOf } from '@millrace/resources/resource';

import { CommandFailure } from '../exit-codes.ts';

/** What some manifests say, and what it means together. */
export interface ReadManifests {
  readonly declared: readonly Declared[];
  readonly plan: Plan;
  /** Of the manifests and of the plan, each with its place. */
  readonly faults: readonly Fault[];
  readonly receipts: readonly Receipt[];
}

/** Reads manifest files and folders and compiles them. Never throws: what is wrong is among the faults. */
export function readManifests(paths: readonly string[], dataUrl: string): ReadManifests {
  const manifests = paths.map((path): Manifest => readFolder(path));
  const declared = manifests.flatMap((it) => it.declared);
  const plan = compilePlan(declared, dataUrl);
  const byKey = new Map(declared.map((it) => [keyOf(it.resource), it]));
  const planFaults = plan.faults.map((fault): Fault => {
    const place = byKey.get(fault.key)?.locate(fault.path) ?? { file: '', line: 1, column: 1 };
    return { ...fault, place };
  });
  return {
    declared,
    plan,
    faults: [...manifests.flatMap((it) => it.faults), ...planFaults],
    receipts: manifests.flatMap((it) => it.receipts),
  };
}

/** Throws a {@link CommandFailure} that lists all faults. */
export function refuseFaults({ faults }: ReadManifests): void {
  if (faults.length === 0) return;
  const many = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  throw new CommandFailure(
    'invalid',
    `${many} in the manifests; nothing was started:\n${faults.map((it) => `  ${formatFault(it)}`).join('\n')}`,
  );
}
