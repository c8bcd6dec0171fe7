import { complaint } from '@millrace/resources/fault';
import type { Declared } from '@millrace/resources/manifest';
import { keyOf } from '@millrace/resources/resource';

import { planApiServerSource } from './api-server-source.ts';
import { planBroker } from './broker.ts';
import { planCalls } from './calls.ts';
import { planChannel } from './channel.ts';
import { planChoice } from './choice.ts';
import { planEventTransform, transformPath } from './event-transform.ts';
import { planEventType } from './event-type.ts';
import { planIntegrationSource } from './integration-source.ts';
import { planMap } from './map.ts';
import { statusOfNotRun } from './not-run.ts';
import { planParallel } from './parallel.ts';
import type { Planned } from './parts.ts';
import { planPingSource } from './ping-source.ts';
import type {
  Feed,
  Inlet,
  Plan,
  PlanFault,
  RequestReplyDoor,
  Route,
  SchemaCheck,
  Status,
  Transform,
  Workload,
} from './plan.ts';
import { planRequestReply } from './request-reply.ts';
import { planSchemaCheck } from './schema-check.ts';
import { planSequence } from './sequence.ts';
import { planSubscription } from './subscription.ts';
import { secured } from './security.ts';
import type { Authentication } from './security.ts';
import { planService } from './service.ts';
import { planKafkaSource, planWebhookSource } from './sources.ts';
import type { PlannedSource } from './sources.ts';
import { channelTopic } from './topics.ts';
import { planTrigger } from './trigger.ts';
import { worldOf } from './world.ts';

/**
 * What the declared resources mean together. Pure: the same resources give the same plan. `dataUrl` is the address of
 * the data port, such as `http://127.0.0.1:8080`, for statuses. Without `authentication` nobody is asked who he is.
 */
export function compilePlan(
  declared: readonly Declared[],
  dataUrl: string,
  { authentication }: { readonly authentication?: Authentication | undefined } = {},
): Plan {
  const world = worldOf(declared);
  const inlets: Inlet[] = [];
  const routes: Route[] = [];
  const callRoutes: Route[] = [];
  const feeds: Feed[] = [];
  const workloads: Workload[] = [];
  const transforms: Transform[] = [];
  const requestReplies: RequestReplyDoor[] = [];
  const schemaChecks: SchemaCheck[] = [];
  const faults: PlanFault[] = [];
  const statuses = new Map<string, Status>();

  const addPlanned = (planned: Planned): void => {
    inlets.push(...planned.inlets);
    routes.push(...planned.routes);
    faults.push(...planned.faults);
    for (const [key, status] of planned.statuses) statuses.set(key, status);
  };
  const addSchemaCheck = ({ check, route }: ReturnType<typeof planSchemaCheck>): void => {
    if (check !== undefined) schemaChecks.push(check);
    if (route !== undefined) routes.push(route);
  };
  const addSource = ({ feed, route, status, fault }: PlannedSource & { fault?: PlanFault | undefined }): Status => {
    if (fault !== undefined) faults.push(fault);
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
        addSchemaCheck(planSchemaCheck(resource, inlet.topic, world));
        statuses.set(key, status);
        break;
      }
      case 'Trigger': {
        const { route, status, fault } = planTrigger(resource, world, dataUrl);
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
        statuses.set(key, addSource(planKafkaSource(resource, world, dataUrl)));
        break;
      case 'WebhookSource':
        statuses.set(key, addSource(planWebhookSource(resource, world, dataUrl)));
        break;
      case 'PingSource':
        statuses.set(key, addSource(planPingSource(resource, world, dataUrl)));
        break;
      case 'ApiServerSource':
        statuses.set(key, addSource(planApiServerSource(resource, world, dataUrl)));
        break;
      case 'IntegrationSource':
        statuses.set(key, addSource(planIntegrationSource(resource, world, dataUrl)));
        break;
      case 'ContainerSource':
      case 'SinkBinding':
      case 'IntegrationSink':
      case 'JobSink':
      case 'KafkaSink':
        statuses.set(key, statusOfNotRun(resource));
        break;
      case 'Channel':
      case 'InMemoryChannel':
      case 'KafkaChannel':
        addPlanned({ ...planChannel(resource, world, dataUrl), routes: [], faults: [] });
        addSchemaCheck(planSchemaCheck(resource, channelTopic(resource.metadata), world));
        break;
      case 'Subscription':
        addPlanned(planSubscription(resource, world, dataUrl));
        break;
      case 'Sequence':
        addPlanned(planSequence(resource, world, dataUrl));
        break;
      case 'Parallel':
        addPlanned(planParallel(resource, world, dataUrl));
        break;
      case 'Choice':
        addPlanned(planChoice(resource, world, dataUrl));
        break;
      case 'Map':
        addPlanned(planMap(resource, world, dataUrl));
        break;
      case 'EventTransform': {
        const planned = planEventTransform(resource, world, dataUrl);
        if (planned.transform !== undefined) transforms.push(planned.transform);
        faults.push(...planned.faults);
        statuses.set(key, planned.status);
        break;
      }
      case 'RequestReply': {
        const { door, route, status } = planRequestReply(resource, world, dataUrl);
        if (door !== undefined) requestReplies.push(door);
        if (route !== undefined) routes.push(route);
        statuses.set(key, status);
        break;
      }
      case 'EventType': {
        const { status, fault } = planEventType(resource, world);
        if (fault !== undefined) faults.push(fault);
        statuses.set(key, status);
        break;
      }
      case 'Secret':
      case 'ConfigMap':
      // Read when everything else is known.
      case 'EventPolicy':
        break;
    }
  }
  routes.push(...callRoutes);
  const plan: Plan = {
    inlets,
    routes,
    feeds,
    workloads,
    transforms,
    requestReplies,
    schemaChecks,
    protections: [],
    statuses,
    faults: [
      ...faults,
      ...sharedPaths([...inlets, ...requestReplies, ...transforms.map(doorOf)], feeds),
      ...sharedNames(routes),
    ],
  };
  return secured(plan, world, authentication);
}

/** A path on the data port can lead to one place only. */
function sharedPaths(inlets: readonly { path: string; key: string }[], feeds: readonly Feed[]): PlanFault[] {
  const taken = new Map<string, string>();
  const faults: PlanFault[] = [];
  const take = (path: string, key: string, at: string) => {
    const holder = taken.get(path);
    if (holder === undefined) taken.set(path, key);
    else
      faults.push({
        ...complaint(at, 'a path of its own', `"${path}", which the ${holder.replace('/', ' ')} has`),
        key,
      });
  };
  for (const { path, key } of inlets) take(path, key, 'metadata.name');
  for (const feed of feeds) if (feed.kind === 'WebhookSource') take(feed.options.path, feed.key, 'spec.path');
  return faults;
}

function doorOf({ name, key }: Transform): { path: string; key: string } {
  return { path: transformPath(name), key };
}

/** A route is known by its name: two of one name would take each other's place. */
function sharedNames(routes: readonly Route[]): PlanFault[] {
  const seen = new Set<string>();
  return routes.flatMap(({ name, key }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ ...complaint('spec', 'parts whose names differ', `two called ${name}`), key }];
  });
}
