import type { MergeKeys } from '../../registry/kind.ts';
import { isRecord, recordAt } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { leavesOf } from './field-set.ts';
import type { ApplyConflict } from './server-side-apply.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Which conflicts `kubectl apply --server-side` has only with its own past: fields that the same user has set by
 * `kubectl apply` before, as the annotation that it has left tells. Kubernetes lets these be taken over, too.
 */
export function ownPast(live: JsonRecord, manager: string, keys: MergeKeys): (conflict: ApplyConflict) => boolean {
  const annotation = recordAt(recordAt(live, 'metadata'), 'annotations')[LAST_APPLIED];
  const past = manager === 'kubectl' && typeof annotation === 'string' ? parse(annotation) : undefined;
  if (past === undefined) return () => false;
  const leaves = leavesOf(past, keys);
  return ({ path, other }) => other.manager === 'kubectl-client-side-apply' && leaves.has(path);
}

function parse(text: string): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
