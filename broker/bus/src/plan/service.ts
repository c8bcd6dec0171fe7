import { keyOf } from '@millrace/resources/resource';
import { limitsOf, livenessOf, probeOf } from '@millrace/resources/container';
import { progressDeadlineOf } from '@millrace/resources/progress-deadline';
import { scalingOf } from '@millrace/resources/scaling';
import type { Service, ServiceSpec } from '@millrace/resources/service';

import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import type { Status, Traffic, Workload } from './plan.ts';
import type { World } from './world.ts';

const CONDITIONS = ['ConfigurationsReady', 'RoutesReady'];

/** Names the code of a Service: a file or folder, relative to the manifest's folder. On the service or its template. */
export const CODE_ANNOTATION = 'millrace.dev/code';

/** How a container with a command is called: `http` (it listens on $PORT, the default) or `stdio`. On the template. */
export const SPEAKS_ANNOTATION = 'millrace.dev/speaks';

/** What Serving's containers listen on when they name no port. */
const DEFAULT_PORT = 8080;

/** A Service is a workload; when something that its environment needs is missing, it is one that cannot run. */
export function planService(
  service: Service,
  manifest: string,
  world: World,
): { workload: Workload | undefined; status: Status } {
  const { metadata, spec } = service;
  const { namespace, name } = metadata;
  const { template } = spec;
  const [container] = template.spec.containers;
  const { environment, secrets, open, trouble } = environmentOf(service, world);
  const status: Status = {
    kind: 'Service',
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { ConfigurationsReady: trouble }),
    url: serviceAddress(`${namespace}/${name}`),
  };
  if (trouble !== undefined) return { workload: undefined, status };
  const workload: Workload = {
    name: `${namespace}/${name}`,
    key: keyOf(service),
    namespace,
    service: name,
    image: container?.image ?? '',
    code: template.metadata?.annotations?.[CODE_ANNOTATION] ?? metadata.annotations?.[CODE_ANNOTATION],
    manifest,
    environment,
    secretValues: secrets,
    open,
    timeoutMs: (template.spec.timeoutSeconds ?? 300) * 1_000,
    concurrency: template.spec.containerConcurrency ?? 0,
    scaling: scalingOf(template.metadata?.annotations),
    limits: limitsOf(container),
    readiness: probeOf(container),
    liveness: livenessOf(container),
    progressDeadlineMs: progressDeadlineOf(template.metadata?.annotations),
    terminationGraceMs: milliseconds(template.spec.terminationGracePeriodSeconds),
    command: container?.command ?? [],
    arguments: container?.args ?? [],
    speaks: template.metadata?.annotations?.[SPEAKS_ANNOTATION] === 'stdio' ? 'stdio' : 'http',
    port: container?.ports?.[0]?.containerPort ?? DEFAULT_PORT,
    revisionName: template.metadata?.name,
    traffic: trafficOf(spec),
  };
  return { workload, status };
}

/** The name under which a cluster knows a function, `<namespace>/<service>`, as a URL. */
export function serviceAddress(workload: string): string {
  const [namespace, service] = workload.split('/');
  return `http://${service}.${namespace}.svc.cluster.local`;
}

/** All to the latest revision, unless the service says otherwise. */
function trafficOf({ traffic = [] }: ServiceSpec): Traffic[] {
  return traffic.map(({ revisionName, percent = 0, tag }) => ({ revisionName, percent, tag }));
}

const milliseconds = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1_000);

interface Environment {
  environment: Record<string, string>;
  secrets: string[];
  open: string[];
  trouble: Trouble | undefined;
}

function environmentOf({ metadata, spec }: Service, world: World): Environment {
  const { namespace } = metadata;
  const [container] = spec.template.spec.containers;
  const environment: Record<string, string> = {};
  const secrets: string[] = [];
  const open: string[] = [];
  let trouble: Trouble | undefined;

  for (const { prefix = '', secretRef, configMapRef } of container?.envFrom ?? []) {
    const whole = secretRef ?? configMapRef;
    if (whole === undefined) continue;
    const kind = secretRef === undefined ? 'ConfigMap' : 'Secret';
    const values = world.values(kind, namespace, whole.name);
    if (values === undefined && whole.optional !== true) {
      trouble ??= {
        reason: `${kind}Missing`,
        message: `the ${kind} ${namespace}/${whole.name} of envFrom is not declared`,
      };
    }
    for (const [key, value] of values ?? []) {
      environment[prefix + key] = value;
      if (kind === 'Secret') secrets.push(value);
    }
  }
  for (const { name, value, valueFrom } of container?.env ?? []) {
    const key = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
    if (key === undefined) {
      if (value !== undefined) environment[name] = value;
      continue;
    }
    const kind = valueFrom?.secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
    const found = world.value(kind, namespace, key);
    if ('text' in found) {
      environment[name] = found.text;
      if (kind === 'Secret') secrets.push(found.text);
    } else if (key.optional === true) {
      open.push(name);
    } else {
      trouble ??= { ...found.trouble, message: `${found.trouble.message} (for the variable ${name})` };
    }
  }
  return { environment, secrets, open, trouble };
}
