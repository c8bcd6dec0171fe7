import { compilePlan } from '@millrace/bus/plan/compile';
import type { Plan } from '@millrace/bus/plan/plan';
import type { Authentication } from '@millrace/bus/plan/security';
import { formatFault } from '@millrace/resources/fault';
import type { Fault, Receipt } from '@millrace/resources/fault';
import { readFolders } from '@millrace/resources/folder';
import type { Declared } from '@millrace/resources/manifest';
import { keyOf } from '@millrace/resources/resource';

import { CommandFailure } from '../exit-codes.ts';
import { asTaken } from './receipts.ts';

/** What some manifests say, and what it means together. */
export interface ReadManifests {
  readonly declared: readonly Declared[];
  readonly plan: Plan;
  /** Of the manifests and of the plan, each with its place. */
  readonly faults: readonly Fault[];
  /** Those that Knative refuses are not among them where that is a fault. */
  readonly receipts: readonly Receipt[];
}

/**
 * Reads manifest files and folders, once, and compiles them for a data port at this address. Never throws: what is wrong
 * is among the faults; when `strict`, so is what we take and Knative refuses. The address shows in statuses only: what
 * has no fault with one has none with another.
 */
export function readManifests(
  paths: readonly string[],
  dataUrl: string,
  { strict = false, authentication }: { strict?: boolean; authentication?: Authentication | undefined } = {},
): ReadManifests {
  const { declared, faults, receipts, refusals } = readFolders(paths);
  const plan = compilePlan(declared, dataUrl, { authentication });
  const byKey = new Map(declared.map((it) => [keyOf(it.resource), it]));
  const planFaults = plan.faults.map((fault): Fault => {
    const place = byKey.get(fault.key)?.locate(fault.path) ?? { file: '', line: 1, column: 1 };
    return { ...fault, place };
  });
  return {
    declared,
    plan,
    faults: [...faults, ...planFaults, ...(strict ? refusals : [])],
    receipts: receipts.filter((it) => !strict || it.refused !== true).map((it) => asTaken(it, plan)),
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
