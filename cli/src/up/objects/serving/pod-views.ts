import { conditionsOf } from '@millrace/bus/plan/conditions';
import type { InstanceDescription, RevisionDescription } from '@millrace/functions/functions';

import type { View } from '../view.ts';
import { USER_CONTAINER } from './serving.ts';
import type { ServedFunction } from './serving.ts';

/** The instances of a Service, as the Pods that they are in a cluster. */
export function podViews(served: ServedFunction): View[] {
  return (served.description?.revisions ?? []).flatMap((revision) =>
    revision.members.map((instance) => podView(instance, revision, served)),
  );
}

/** How the Pod of an instance is called: `<revision>-<instance>`. */
export function podName(revision: string, instance: string): string {
  return `${revision}-${instance}`;
}

function podView(
  { id, phase, begunAt }: InstanceDescription,
  { name: revision }: RevisionDescription,
  { namespace, name: service, spec }: ServedFunction,
): View {
  const container = spec?.template.spec.containers[0];
  const name = container?.name || USER_CONTAINER;
  const image = container?.image ?? '';
  const startedAt = `${begunAt.slice(0, 19)}Z`;
  const isReady = phase === 'ready';
  const trouble = isReady ? undefined : { reason: 'ContainersNotReady', message: `the instance is ${phase}` };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace,
    name: podName(revision, id),
    owner: `Revision/${namespace}/${revision}`,
    labels: {
      app: revision,
      'serving.knative.dev/configuration': service,
      'serving.knative.dev/revision': revision,
      'serving.knative.dev/service': service,
    },
    spec: { containers: [{ name, image }] },
    isFixed: true,
    conditions: conditionsOf(['ContainersReady'], { ContainersReady: trouble }),
    details: {
      phase: phase === 'starting' ? 'Pending' : 'Running',
      startTime: startedAt,
      containerStatuses: [
        {
          name,
          image,
          imageID: '',
          ready: isReady,
          started: phase !== 'starting',
          restartCount: 0,
          state: phase === 'starting' ? { waiting: { reason: 'ContainerCreating' } } : { running: { startedAt } },
        },
      ],
    },
  };
}
