import type { EventPolicy } from '@millrace/resources/event-policy';
import { isKind, KINDS } from '@millrace/resources/kinds';
import { isSelected } from '@millrace/resources/label-selector';

import { subjectOf } from '../security/subject.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import type { Status } from './plan.ts';

const CONDITIONS = ['AuthenticationEnabled', 'SubjectsResolved'];

/** What a policy may be for. */
export interface PolicyTarget {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** The API group of a kind that can be said; empty for any other one. */
export function groupOfKind(kind: string): string {
  const [version = ''] = isKind(kind) ? KINDS[kind].apiVersions : [];
  return groupOf(version);
}

/** Whether a policy is for it: those of its namespace are, that name it, select it, or say nothing (knative.md §8.2). */
export function isFor({ metadata, spec }: EventPolicy, target: PolicyTarget): boolean {
  if (metadata.namespace !== target.namespace) return false;
  const { to = [] } = spec;
  if (to.length === 0) return true;
  const group = groupOfKind(target.kind);
  return to.some(({ ref, selector }) => {
    if (ref !== undefined)
      return (
        isEqual(ref.name, target.name) && isEqual(ref.kind, target.kind) && isEqual(groupOf(ref.apiVersion), group)
      );
    if (selector?.kind === undefined || selector.apiVersion === undefined) return false;
    const isOfKind = isEqual(selector.kind, target.kind) && isEqual(groupOf(selector.apiVersion), group);
    return isOfKind && isSelected(selector, target.labels);
  });
}

/**
 * The status of a policy, with the subjects that its references stand for. `statuses` are those of everything that may be
 * referred to.
 */
export function planEventPolicy(
  { metadata, spec }: EventPolicy,
  statuses: ReadonlyMap<string, Status>,
  isAuthenticating: boolean,
): Status {
  const { namespace, name } = metadata;
  const subjects: string[] = [];
  let unresolved: Trouble | undefined;
  for (const [index, { ref, sub }] of (spec.from ?? []).entries()) {
    if (ref === undefined) {
      subjects.push(sub!);
      continue;
    }
    const found = groupOf(ref.apiVersion) === groupOfKind(ref.kind) ? senderOf(ref, statuses) : undefined;
    if (found !== undefined) subjects.push(found);
    else {
      const message = `spec.from[${index}].ref: the ${ref.kind} ${ref.namespace}/${ref.name} (${ref.apiVersion}) is not declared, or sends nothing`;
      unresolved ??= { reason: 'SubjectsNotResolved', message };
    }
  }
  const disabled: Trouble = {
    reason: 'OIDCAuthenticationDisabled',
    message: 'nobody is asked who he is: start with --authentication-oidc',
  };
  return {
    kind: 'EventPolicy',
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, {
      AuthenticationEnabled: isAuthenticating ? undefined : disabled,
      SubjectsResolved: isAuthenticating ? unresolved : { ...disabled, status: 'Unknown' },
    }),
    ...(isAuthenticating && { details: { from: subjects } }),
  };
}

/** The subjects that a policy's status lists. */
export function subjectsIn({ details }: Status): readonly string[] {
  return (details?.['from'] as readonly string[] | undefined) ?? [];
}

function senderOf(
  { kind, namespace, name }: { readonly kind: string; readonly namespace: string; readonly name: string },
  statuses: ReadonlyMap<string, Status>,
): string | undefined {
  const { auth } = (statuses.get(`${kind}/${namespace}/${name}`)?.details ?? {}) as {
    auth?: { serviceAccountName: string };
  };
  return auth && subjectOf({ namespace, serviceAccount: auth.serviceAccountName });
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function isEqual(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
