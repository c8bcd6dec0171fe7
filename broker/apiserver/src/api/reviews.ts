import { recordAt } from './json.ts';
import type { JsonRecord } from './json.ts';
import type { Review } from './discovery.ts';

const AUTHORIZATION = { group: 'authorization.k8s.io', version: 'v1' };

/** Questions about who may do what. */
export const REVIEWS: readonly Review[] = [
  { ...AUTHORIZATION, kind: 'SelfSubjectAccessReview' },
  { ...AUTHORIZATION, kind: 'SelfSubjectRulesReview' },
  { group: 'authentication.k8s.io', version: 'v1', kind: 'SelfSubjectReview' },
];

/** The answer to one: who comes this far may do everything, since it is the user of this machine. */
export function answerReview({ group, version, kind }: Review, body: JsonRecord): object {
  return {
    ...body,
    apiVersion: `${group}/${version}`,
    kind,
    metadata: recordAt(body, 'metadata'),
    status: STATUS[kind],
  };
}

const STATUS: Readonly<Record<string, object>> = {
  SelfSubjectAccessReview: { allowed: true, reason: 'local access is not restricted' },
  SelfSubjectRulesReview: {
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  },
  SelfSubjectReview: { userInfo: { username: 'local', groups: ['system:masters'] } },
};
