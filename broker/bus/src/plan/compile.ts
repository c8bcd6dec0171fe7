import { complaint } from '@millrace/resources/fault';
import type { Declared } from '@millrace/resources/manifest';
import { keyOf } from '@millrace/resources/resource';

import { planBroker } from './broker.ts';
import { planCalls } from './calls.ts';
import type { Feed, Inlet, Plan, PlanFault, Route, Status, Workload } from './plan.ts';
import { planService } from './service.ts';
import { planKafkaSource, planWebhookSource } from './sources.ts';
import type { PlannedSource } from './sources.ts';
import { planTrigger } from './trigger.ts';
import { worldOf } from './world.ts';

/**
 * What the declared resources mean together. Pure: the same resources give the same plan. `dataUrl` is the address of
 * the data port, such as `http://127.0.0.1:8080`, for statuses.
 */
export function compilePlan(declared: readonly Declared[], dataUrl: string): Plan {
  const world = worldOf(declared);
  const inlets: Inlet[] = [];
  const routes: Route[] = [];
  const callRoutes: Route[] = [];
  const feeds: Feed[] = [];
  const workloads: Workload[] = [];
  const faults: PlanFault[] = [];
  const statuses = new Map<string, Status>();

  const addSource = ({ feed, route, status }: PlannedSource): Status => {
    if (feed !== undefined) feeds.push(feed);
    if (route !== undefined) routes.push(route);
    return status;
  };
  for (const { resource, place } of world.all) {
    const key = keyOf(resource);
    switch (resource.kind) {
      case 'Broker': {
        const { inlet, status } = planBroker(resource, world, dataUrl);
        inlets.push(inlet);
        statuses.set(key, status);
        break;
      }
      case 'Trigger': {
        const { route, status, fault } = planTrigger(resource, world);
        if (route !== undefined) routes.push(route);
        if (fault !== undefined) faults.push(fault);
        statuses.set(key, status);
        break;
      }
      case 'Service': {
        const { workload, status } = planService(resource, place.file, world);
        if (workload !== undefined) workloads.push(workload);
        // Also while it cannot run: what was accepted for it must find its route when it can.
        callRoutes.push(...planCalls(resource));
        statuses.set(key, status);
        break;
      }
      case 'KafkaSource':
        statuses.set(key, addSource(planKafkaSource(resource, world)));
        break;
      case 'WebhookSource':
        statuses.set(key, addSource(planWebhookSource(resource, world, dataUrl)));
        break;
      case 'Secret':
      case 'ConfigMap':
        break;
    }
  }
  routes.push(...callRoutes);
  return { inlets, routes, feeds, workloads, statuses, faults: [...faults, ...sharedPaths(inlets, feeds)] };
}

/** A path on the data port can lead to one place only. */
function sharedPaths(inlets: readonly Inlet[], feeds: readonly Feed[]): PlanFault[] {
  const taken = new Map(inlets.map((it) => [it.path, `the Broker ${it.namespace}/${it.broker}`]));
  const faults: PlanFault[] = [];
  for (const feed of feeds) {
    if (feed.kind !== 'WebhookSource') continue;
    const { path, namespace, name } = feed.options;
    const holder = taken.get(path);
    if (holder === undefined) taken.set(path, `the WebhookSource ${namespace}/${name}`);
    else
      faults.push({ ...complaint('spec.path', 'a path of its own', `"${path}", which ${holder} has`), key: feed.key });
  }
  return faults;
}
