import type { IncomingMessage } from 'node:http';

import { resourceText } from '../registry/kind.ts';
import type { ObjectTarget } from './request-path.ts';
import { Refusal } from './status.ts';

/** Who asks. */
export interface Visitor {
  readonly name: string;
  readonly groups: readonly string[];
  /** `all`; or `read`, as the ClusterRole `view` of Kubernetes: whatever shows, and no Secrets. */
  readonly may: 'all' | 'read';
}

/** Whoever asks where nobody has to say who he is: the user of this machine. */
export const LOCAL_USER: Visitor = { name: 'local', groups: ['system:masters'], may: 'all' };

/** What somebody wants to do, in the words of Kubernetes. Without a resource it is about a path. */
export interface Wish {
  readonly verb: string;
  readonly resource?: { readonly group: string; readonly plural: string } | undefined;
  readonly subresource?: string;
}

const READING = new Set(['get', 'list', 'watch']);
/** Whoever may ask at all may ask what he may. */
const ABOUT_ONESELF = /^selfsubject(?:access|rules)?reviews$/;

/** Whether he may. */
export function isAllowed({ may }: Visitor, { verb, resource }: Wish): boolean {
  if (may === 'all') return true;
  if (resource === undefined) return READING.has(verb) || verb === 'head';
  const { group, plural } = resource;
  if (ABOUT_ONESELF.test(plural)) return verb === 'create';
  return READING.has(verb) && !(group === '' && plural === 'secrets');
}

/** What a visitor may, as a SelfSubjectRulesReview lists it. The kinds but for Secrets are named, as no rule can except one. */
export function rulesOf(visitor: Visitor, kinds: readonly { group: string; plural: string }[]): object {
  if (visitor.may === 'all') {
    return {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    };
  }
  const byGroup = Map.groupBy(
    kinds.filter((resource) => isAllowed(visitor, { verb: 'get', resource })),
    ({ group }) => group,
  );
  return {
    resourceRules: [
      ...[...byGroup].map(([group, all]) => ({
        verbs: [...READING],
        apiGroups: [group],
        resources: all.flatMap(({ plural }) => [plural, `${plural}/status`]),
      })),
      { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: SELF_REVIEWS },
      { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
    ],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['*'] }],
    incomplete: false,
  };
}

const SELF_REVIEWS = ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'];

/** What a request for objects wants. */
export function wishOf(
  { method = '' }: IncomingMessage,
  { kind, name, subresource }: ObjectTarget,
  query: URLSearchParams,
): Wish {
  return { verb: verbOf(method, name !== undefined, query), resource: kind, subresource };
}

function verbOf(method: string, isOne: boolean, query: URLSearchParams): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (/^(?:true|1)$/.test(query.get('watch') ?? '')) return 'watch';
      return isOne ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'DELETE':
      return isOne ? 'delete' : 'deletecollection';
    default:
      return method.toLowerCase();
  }
}

/** Nobody knows who asks. */
export function unauthorized(): Refusal {
  return new Refusal(401, 'Unauthorized', 'Unauthorized');
}

/** He may not do that to these objects. */
export function forbidden(visitor: Visitor, wish: Wish, { kind, namespace, name }: ObjectTarget): Refusal {
  const { group, plural } = kind;
  const resource = wish.subresource === undefined || wish.subresource === '' ? plural : `${plural}/${wish.subresource}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = `${resourceText(kind)}${name === undefined ? '' : ` "${name}"`}`;
  const message = `${what} is forbidden: User "${visitor.name}" cannot ${wish.verb} resource "${resource}" in API group "${group}" ${where}`;
  return new Refusal(403, 'Forbidden', message, {
    ...(name !== undefined && { name }),
    ...(group !== '' && { group }),
    kind: plural,
  });
}

/** He may not ask for that path. */
export function forbiddenPath(visitor: Visitor, verb: string, path: string): Refusal {
  return new Refusal(403, 'Forbidden', `forbidden: User "${visitor.name}" cannot ${verb} path "${path}"`, {});
}
