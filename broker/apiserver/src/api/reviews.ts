import { recordAt } from './json.ts';
import type { JsonRecord } from './json.ts';
import type { Review } from './discovery.ts';
import { isAllowed, rulesOf } from './visitor.ts';
import type { Visitor } from './visitor.ts';

const AUTHORIZATION = { group: 'authorization.k8s.io', version: 'v1' };

/** Questions about who may do what. */
export const REVIEWS: readonly Review[] = [
  { ...AUTHORIZATION, kind: 'SelfSubjectAccessReview' },
  { ...AUTHORIZATION, kind: 'SelfSubjectRulesReview' },
  { group: 'authentication.k8s.io', version: 'v1', kind: 'SelfSubjectReview' },
];

/** Who asks, and what there is. */
export interface Reviewed {
  readonly visitor: Visitor;
  readonly kinds: readonly { readonly group: string; readonly plural: string }[];
}

/** The answer to one: what holds for the visitor who asks. */
export function answerReview({ group, version, kind }: Review, body: JsonRecord, reviewed: Reviewed): object {
  return {
    ...body,
    apiVersion: `${group}/${version}`,
    kind,
    metadata: recordAt(body, 'metadata'),
    status: statusOf(kind, recordAt(body, 'spec'), reviewed),
  };
}

function statusOf(kind: string, spec: JsonRecord, { visitor, kinds }: Reviewed): object {
  switch (kind) {
    case 'SelfSubjectAccessReview':
      return accessOf(spec, visitor);
    case 'SelfSubjectRulesReview':
      return rulesOf(visitor, kinds);
    default:
      return { userInfo: { username: visitor.name, groups: visitor.groups } };
  }
}

function accessOf(spec: JsonRecord, visitor: Visitor): object {
  const { verb: onPath = '' } = recordAt(spec, 'nonResourceAttributes') as { verb?: string };
  const { verb = '', group = '', resource = '' } = recordAt(spec, 'resourceAttributes') as Record<string, string>;
  const wish = 'resourceAttributes' in spec ? { verb, resource: { group, plural: resource } } : { verb: onPath };
  if (!isAllowed(visitor, wish)) return { allowed: false, reason: `${visitor.name} may look, and not at Secrets` };
  const reason = visitor.may === 'all' ? 'whoever comes in so may do everything' : 'it changes nothing';
  return { allowed: true, reason };
}
