import { childName } from '@millrace/resources/child-name';
import type { EventPolicy } from '@millrace/resources/event-policy';
import { keyOf } from '@millrace/resources/resource';

import { withCondition } from './conditions.ts';
import { transformPath } from './event-transform.ts';
import { filterFault } from './parts.ts';
import type { Plan, PlanFault, Route, Status } from './plan.ts';
import { groupOfKind, isFor, planEventPolicy, subjectsIn } from './policies.ts';
import type { AppliedPolicy, AuthorizationMode, Protection, SenderIdentity } from './protection.ts';
import type { World } from './world.ts';

/** How senders are authenticated. */
export interface Authentication {
  /** Decides where no policy does. Default: `allow-same-namespace`. */
  readonly mode?: AuthorizationMode | undefined;
}

/** The condition of everything that takes events, and of nothing else. */
const POLICED = 'EventPoliciesReady';

/**
 * A plan with who may send what. Without authentication nothing is protected; policies are told all the same, and that
 * they do not hold.
 */
export function secured(plan: Plan, world: World, authentication: Authentication | undefined): Plan {
  const policies = world.all.map((it) => it.resource).filter((it) => it.kind === 'EventPolicy');
  if (authentication === undefined && policies.length === 0) return plan;
  const statuses = new Map(plan.statuses);
  const routes = authentication === undefined ? plan.routes : plan.routes.map(withIdentity);
  if (authentication !== undefined) {
    for (const { key, identity } of routes) tellIdentity(statuses, key, identity);
    for (const { key } of plan.feeds) tellIdentity(statuses, key, identityOf(key));
  }
  const planned = policies.map((policy) => ({
    policy,
    status: planEventPolicy(policy, statuses, authentication !== undefined),
  }));
  for (const { status } of planned) statuses.set(`EventPolicy/${status.namespace}/${status.name}`, status);
  const labels = new Map(world.all.map(({ resource }) => [keyOf(resource), resource.metadata.labels]));
  const applied = new Map<string, readonly AppliedPolicy[]>();
  for (const [key, status] of statuses) {
    if (!status.conditions.some((it) => it.type === POLICED)) continue;
    const { kind, namespace, name } = status;
    const target = { kind, namespace, name, labels: labels.get(key) };
    const here = planned
      .filter(({ policy }) => isFor(policy, target))
      .toSorted((one, other) => (one.status.name < other.status.name ? -1 : 1));
    applied.set(
      key,
      here.map(({ policy, status: its }) => ({
        name: its.name,
        subjects: subjectsIn(its),
        filters: policy.spec.filters ?? [],
      })),
    );
    const policed = withPolicies(status, here);
    statuses.set(key, authentication === undefined ? policed : { ...policed, audience: audienceOf(status) });
  }
  return {
    ...plan,
    routes,
    statuses,
    faults: [...plan.faults, ...policies.flatMap(faultOf)],
    protections: authentication === undefined ? [] : protectionsOf({ ...plan, statuses }, applied, authentication),
  };
}

/** `<group>/<kind>/<namespace>/<name>` in lower case (knative.md §8.1). */
export function audienceOf({ kind, namespace, name }: Pick<Status, 'kind' | 'namespace' | 'name'>): string {
  return `${groupOfKind(kind)}/${kind}/${namespace}/${name}`.toLowerCase();
}

/** Who a resource is when it sends, by its key: a ServiceAccount of its own (knative.md §8.1). */
export function identityOf(key: string): SenderIdentity {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  const serviceAccount = childName(name, `-oidc-${groupOfKind(kind)}-${kind}`.toLowerCase()).toLowerCase();
  return { namespace, serviceAccount };
}

function withIdentity(route: Route): Route {
  // The calls of a function are made in the name of their callers.
  return route.key.startsWith('Service/') ? route : { ...route, identity: identityOf(route.key) };
}

function tellIdentity(statuses: Map<string, Status>, key: string, identity: SenderIdentity | undefined): void {
  const status = statuses.get(key);
  if (status === undefined || identity === undefined) return;
  const auth = { serviceAccountName: identity.serviceAccount };
  statuses.set(key, { ...status, details: { ...status.details, auth } });
}

/** Those that are ready are listed; the others make it unready. */
function withPolicies(status: Status, all: readonly { readonly status: Status }[]): Status {
  const isReady = ({ status: { conditions } }: { readonly status: Status }) => conditions[0]?.status === 'True';
  const names = all.filter((it) => !isReady(it)).map((it) => it.status.name);
  const trouble =
    names.length === 0
      ? undefined
      : { reason: 'EventPoliciesNotReady', message: `event policies ${names.join(', ')} are not ready` };
  const policies = all
    .filter(isReady)
    .map((it) => ({ apiVersion: 'eventing.knative.dev/v1alpha1', name: it.status.name }));
  const policed = withCondition(status, POLICED, trouble);
  return policies.length === 0 ? policed : { ...policed, details: { ...policed.details, policies } };
}

function protectionsOf(
  { inlets, transforms, requestReplies, statuses }: Plan,
  applied: ReadonlyMap<string, readonly AppliedPolicy[]>,
  { mode = 'allow-same-namespace' }: Authentication,
): Protection[] {
  const doors = [
    ...inlets,
    ...transforms.map(({ name, key }) => ({ path: transformPath(name), key, topic: undefined })),
    // Its topic is that of its broker, which has a protection of its own.
    ...requestReplies.map(({ path, key }) => ({ path, key, topic: undefined })),
  ];
  const byPath = new Map<string, { readonly key: string; readonly status: Status }>();
  for (const [key, status] of statuses) {
    const path = status.url?.replace(/^https?:\/\/[^/]+/, '');
    if (path !== undefined && !byPath.has(path)) byPath.set(path, { key, status });
  }
  return doors.flatMap(({ path, key, topic }): Protection[] => {
    // A channel that a flow has made is told of under its own name, and belongs to the flow.
    const told = byPath.get(path);
    if (told === undefined) return [];
    const { namespace } = told.status;
    const all = [...(applied.get(told.key) ?? []), ...(told.key === key ? [] : (applied.get(key) ?? []))];
    const policies = [...new Map(all.map((it) => [it.name, it])).values()];
    return [{ key, namespace, path, topic, audience: audienceOf(told.status), policies, mode }];
  });
}

function faultOf(policy: EventPolicy): PlanFault[] {
  const fault = filterFault({ filters: policy.spec.filters ?? [] }, 'spec.', keyOf(policy));
  return fault === undefined ? [] : [fault];
}
