import type { SenderIdentity } from '../plan/protection.ts';

/** The subject of tokens of a ServiceAccount, as Kubernetes has it. */
export function subjectOf({ namespace, serviceAccount }: SenderIdentity): string {
  return `system:serviceaccount:${namespace}:${serviceAccount}`;
}
