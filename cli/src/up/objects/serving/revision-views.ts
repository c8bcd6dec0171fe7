import { conditionsOf } from '@millrace/bus/plan/conditions';
import type { Condition } from '@millrace/bus/plan/plan';
import type { FunctionDescription, RevisionDescription } from '@millrace/functions/functions';

import type { View } from '../view.ts';
import { SERVING, USER_CONTAINER } from './serving.ts';
import type { ServedFunction } from './serving.ts';

/** The revisions of a Service, as Serving shows them. What one was made of does not change any more. */
export function revisionViews(served: ServedFunction): View[] {
  const { description } = served;
  return (description?.revisions ?? []).map((revision) => revisionView(revision, served, description!));
}

function revisionView(
  revision: RevisionDescription,
  { namespace, name: service, spec }: ServedFunction,
  description: FunctionDescription,
): View {
  const { name, state, tags, percent, instances, ready, desired } = revision;
  const isRouted = percent > 0 || tags.length > 0;
  const isNewest = description.revisions[0]?.name === name;
  return {
    apiVersion: SERVING,
    kind: 'Revision',
    namespace,
    name,
    owner: `Configuration/${namespace}/${service}`,
    labels: {
      'serving.knative.dev/configuration': service,
      'serving.knative.dev/configurationGeneration': generationOf(name),
      'serving.knative.dev/service': service,
      'serving.knative.dev/routingState': isRouted ? 'active' : 'reserve',
    },
    ...(isRouted && { annotations: { 'serving.knative.dev/routes': service } }),
    // Of an older one only this is known, unless its object is there since it was the newest.
    spec: isNewest && spec !== undefined ? { ...spec.template.spec } : { containers: [{ name: USER_CONTAINER }] },
    isFixed: true,
    conditions: [...conditionsOf(['ContainerHealthy', 'ResourcesAvailable'], troublesOf(revision)), activeOf(revision)],
    details: { actualReplicas: ready, desiredReplicas: state === 'retired' ? 0 : (desired ?? instances) },
  };
}

/** Revisions that we name end with the number of what they are: `ticket-agent-00002`. */
function generationOf(revision: string): string {
  return String(Number(/\d+$/.exec(revision)?.[0] ?? 1));
}

function troublesOf({ state, reason, message }: RevisionDescription) {
  if (state === 'failing') return { ContainerHealthy: { reason, message } };
  if (reason === 'Installing') return { ResourcesAvailable: { status: 'Unknown' as const, reason, message } };
  return {};
}

/** Whether instances are there for calls; at rest it is False, and nothing is wrong (severity Info). */
function activeOf({ state, reason, message }: RevisionDescription): Condition {
  const active = { type: 'Active', severity: 'Info' };
  if (state === 'running') return { ...active, status: 'True' };
  if (state === 'starting') {
    return { ...active, status: 'Unknown', reason: 'Deploying', message: 'an instance is being started' };
  }
  if (state === 'failing') return { ...active, status: 'False', reason, message };
  return { ...active, status: 'False', reason: 'NoTraffic', message: 'The target is not receiving traffic.' };
}
