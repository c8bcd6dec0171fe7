import type { Status } from '@millrace/bus/plan/plan';
import { conditionsOf, withCondition } from '@millrace/bus/plan/conditions';
import type { Trouble } from '@millrace/bus/plan/conditions';
import type { FunctionDescription } from '@millrace/functions/functions';
import type { ServiceSpec } from '@millrace/resources/service';

import type { View } from '../view.ts';
import { podViews } from './pod-views.ts';
import { revisionViews } from './revision-views.ts';
import { SERVING } from './serving.ts';
import type { ServedFunction } from './serving.ts';
import { trafficOf } from './traffic.ts';

/**
 * What Serving makes of each Service, from what is known of its function (serving/pkg/reconciler/service/resources):
 *
 *   Service ─┬─▶ Route                                  where its calls go
 *            └─▶ Configuration ─▶ Revision ─▶ Pod       what runs, each revision and each instance
 *
 * The Service itself is among the views, with what it then shows of them. `specOf` is what a Service says, `dataUrl` the
 * address under which functions are called from outside.
 */
export function servingViews(
  statuses: ReadonlyMap<string, Status>,
  functions: readonly FunctionDescription[],
  { specOf, dataUrl }: { readonly specOf: (service: Status) => ServiceSpec | undefined; readonly dataUrl: string },
): Map<string, View> {
  const byName = new Map(functions.map((it) => [it.name, it]));
  const views = new Map<string, View>();
  const add = (view: View): void => void views.set(`${view.kind}/${view.namespace}/${view.name}`, view);
  for (const status of statuses.values()) {
    if (status.kind !== 'Service') continue;
    const { namespace, name } = status;
    const served: ServedFunction = {
      namespace,
      name,
      spec: specOf(status),
      description: byName.get(`${namespace}/${name}`),
      url: `${dataUrl}/functions/${namespace}/${name}`,
    };
    const settled = withRollout(status, served);
    add(serviceView(settled, served));
    add(routeView(settled, served));
    add(configurationView(settled, served));
    for (const view of [...revisionViews(served), ...podViews(served)]) add(view);
  }
  return views;
}

/** While the newest revision has not shown whether it can start, neither is it known of the Service. */
function withRollout(status: Status, { description }: ServedFunction): Status {
  const newest = description?.revisions[0];
  if (newest === undefined || newest.name === description?.latest || newest.state === 'failing') return status;
  if (troubleOf(status, 'ConfigurationsReady') !== undefined) return status;
  const message = `the revision ${newest.name} is being started`;
  return withCondition(status, 'ConfigurationsReady', { status: 'Unknown', reason: 'Deploying', message });
}

function serviceView(status: Status, served: ServedFunction): View {
  return {
    ...status,
    details: { ...status.details, url: served.url, ...latestOf(served), traffic: trafficOf(served) },
  };
}

function configurationView(status: Status, served: ServedFunction): View {
  const trouble = troubleOf(status, 'ConfigurationsReady');
  return {
    ...made(served, 'Configuration'),
    conditions: [{ type: 'Ready', status: 'True', ...trouble }],
    spec: served.spec === undefined ? {} : { template: served.spec.template },
    details: latestOf(served),
  };
}

const ROUTE_CONDITIONS = ['AllTrafficAssigned', 'CertificateProvisioned', 'IngressReady'];

function routeView(status: Status, served: ServedFunction): View {
  const { name, spec, description, url } = served;
  const isServed = description?.revisions.some(({ percent }) => percent > 0) === true;
  const trouble: Trouble = {
    status: 'Unknown',
    reason: 'RevisionMissing',
    message: `the Configuration "${name}" has no ready Revision`,
  };
  const traffic = spec?.traffic ?? [];
  const latest = { configurationName: name, latestRevision: true, percent: 100 };
  return {
    ...made(served, 'Route'),
    url: status.url,
    conditions: conditionsOf(ROUTE_CONDITIONS, isServed ? {} : { AllTrafficAssigned: trouble }),
    spec: { traffic: traffic.length > 0 ? traffic : [latest] },
    details: { url, traffic: trafficOf(served) },
  };
}

function made({ namespace, name }: ServedFunction, kind: string) {
  return {
    apiVersion: SERVING,
    kind,
    namespace,
    name,
    owner: `Service/${namespace}/${name}`,
    labels: { 'serving.knative.dev/service': name },
  };
}

/** The newest revision, and the newest that could start. */
function latestOf({ description }: ServedFunction) {
  const ready = description?.revisions.find(({ name, state }) => name === description.latest && state !== 'failing');
  return { latestCreatedRevisionName: description?.revisions[0]?.name, latestReadyRevisionName: ready?.name };
}

function troubleOf(
  { conditions }: Status,
  type: string,
): (Pick<Trouble, 'reason' | 'message'> & { status: 'False' | 'Unknown' }) | undefined {
  const condition = conditions.find((it) => it.type === type);
  if (condition === undefined || condition.status === 'True') return undefined;
  const { status, reason = '', message = '' } = condition;
  return { status, reason, message };
}
