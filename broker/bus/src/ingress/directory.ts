import { transformHost, transformPath } from '../plan/event-transform.ts';
import type { Plan } from '../plan/plan.ts';

/** A declared function that a request is for. */
export interface Destination {
  /** `<namespace>/<service>`. */
  readonly workload: string;
  /** The tag of `spec.traffic` that was asked for. */
  readonly tag?: string | undefined;
}

/** What stands below a path of this port, such as a channel. */
export interface Below {
  readonly path: string;
}

/** What a host name means: a function, what stands below a path, this port by its paths whatever they are, or nothing here. */
export type HostMeaning = Destination | Below | 'events' | 'paths' | undefined;

const DEFAULT_NAMESPACE = 'default';
/** The namespace that OpenFaaS has for functions when nobody says another. */
const OPENFAAS_NAMESPACE = 'openfaas-fn';
const MOST_REMEMBERED = 1_000;

const PORTS_OF_THE_CLUSTER: ReadonlyMap<string, 'events' | 'paths'> = new Map([
  ['broker-ingress.knative-eventing', 'events'],
  ['gateway.openfaas', 'paths'],
]);

/** What is declared, by the names under which a cluster and OpenFaaS know it. Follows the plan. */
export class Directory {
  readonly #plan: () => Plan;
  #indexed: Plan | undefined;
  readonly #byHost = new Map<string, Destination | Below>();
  /** Per `Host` as it comes, so that a request costs one look. */
  readonly #remembered = new Map<string, HostMeaning>();

  constructor(plan: () => Plan) {
    this.#plan = plan;
  }

  /** What a `Host` means, port and case aside. */
  host(host: string | undefined): HostMeaning {
    if (host === undefined) return undefined;
    this.#index();
    if (this.#remembered.has(host)) return this.#remembered.get(host);
    const name = clusterName(host);
    const meaning = this.#byHost.get(name) ?? PORTS_OF_THE_CLUSTER.get(name);
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(host, meaning);
    return meaning;
  }

  /** A declared function, or undefined. */
  function(namespace: string, service: string): Destination | undefined {
    this.#index();
    const found = this.#byHost.get(`${service}.${namespace}`);
    return found === undefined || 'path' in found || found.tag !== undefined ? undefined : found;
  }

  /** A function as OpenFaaS spells it: `<name>` or `<name>.<namespace>`. */
  openFaas(spelled: string): Destination | undefined {
    const dot = spelled.indexOf('.');
    if (dot < 0) return this.function(DEFAULT_NAMESPACE, spelled);
    const [service, namespace] = [spelled.slice(0, dot), spelled.slice(dot + 1)];
    const found = this.function(namespace, service);
    if (found !== undefined || namespace !== OPENFAAS_NAMESPACE || this.#hasNamespace(namespace)) return found;
    return this.function(DEFAULT_NAMESPACE, service);
  }

  /** Why a declared function has nothing that runs. */
  trouble({ workload }: Destination): string {
    const ready = this.#plan()
      .statuses.get(`Service/${workload}`)
      ?.conditions.find((it) => it.type === 'Ready');
    return ready?.message ?? `the Service ${workload} is not ready`;
  }

  #hasNamespace(namespace: string): boolean {
    return this.#plan()
      .statuses.values()
      .some((it) => it.namespace === namespace);
  }

  #index(): void {
    const plan = this.#plan();
    if (plan === this.#indexed) return;
    this.#indexed = plan;
    this.#byHost.clear();
    this.#remembered.clear();
    for (const { kind, namespace, name } of plan.statuses.values()) {
      if (kind === 'Service') this.#byHost.set(`${name}.${namespace}`, { workload: `${namespace}/${name}` });
    }
    const doors = plan.transforms.map((it) => ({ path: transformPath(it.name), host: transformHost(it.name) }));
    for (const { path, host } of [...plan.inlets, ...plan.requestReplies, ...doors]) {
      if (host !== undefined && !this.#byHost.has(host)) this.#byHost.set(host, { path });
    }
    // A service is what its name says before it is another one's tag.
    for (const { name, namespace, service, traffic } of plan.workloads) {
      for (const { tag } of traffic) {
        const host = `${tag}-${service}.${namespace}`;
        if (tag !== undefined && !this.#byHost.has(host)) this.#byHost.set(host, { workload: name, tag });
      }
    }
  }
}

/** `<name>.<namespace>` of `<name>.<namespace>[.svc[.cluster.local]][.][:port]`. */
function clusterName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/\.$/, '')
    .replace(/\.svc(?:\.cluster\.local)?$/, '');
}
