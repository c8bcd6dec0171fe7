import type { Outlet, RunningSource, SourceStatus } from '@millrace/event/source';

import { withCondition } from '../plan/conditions.ts';
import type { Trouble } from '../plan/conditions.ts';
import type { Feed, Inlet, Plan, Route, Status, Workload } from '../plan/plan.ts';
import { SOURCE_CONDITION } from '../plan/sources.ts';
import { difference } from './diff.ts';
import type { Called, FunctionHost, FunctionStatus, RunningFunction, SourceHost } from './ports.ts';

/** What control moves: given by the bus, which knows the rooms. */
export interface Actuators {
  openInlet(inlet: Inlet): void;
  closeInlet(inlet: Inlet): void;
  /** Settles where these begin, before any of them does anything: one may bring something into the topic of another. */
  placeRoutes(routes: readonly Route[]): Promise<void>;
  startRoute(route: Route): Promise<void>;
  stopRoute(route: Route): Promise<void>;
  /** Its name is in the plan no longer. */
  removeRoute(route: Route): Promise<void>;
  openReceiver(path: string, receive: NonNullable<RunningSource['receive']>): void;
  closeReceiver(path: string): void;
  outletOf(feed: Feed): Outlet;
  readonly functions: FunctionHost;
  readonly sources: SourceHost;
}

const NOTHING: Plan = {
  inlets: [],
  routes: [],
  feeds: [],
  workloads: [],
  transforms: [],
  requestReplies: [],
  schemaChecks: [],
  protections: [],
  statuses: new Map(),
  faults: [],
};

/** Keeps what runs true to the plan, and knows how each resource is. Never touches an event. */
export class Control {
  readonly #actuators: Actuators;
  readonly #functions = new Map<string, RunningFunction>();
  readonly #sources = new Map<string, { feed: Feed; running: RunningSource; status: () => SourceStatus | undefined }>();
  #plan = NOTHING;
  #applying: Promise<void> = Promise.resolve();

  constructor(actuators: Actuators) {
    this.#actuators = actuators;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Resolves when everything runs as the plan says. What is not changed is not touched. Doors close first and open
   * last: nothing comes in for a route that does not stand yet.
   */
  apply(plan: Plan): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(plan));
    // What fails is the caller's to know; the next plan is applied all the same.
    this.#applying = applied.catch(() => {});
    return applied;
  }

  /** Runs something between two plans: nothing is started or stopped meanwhile. Resolves as that does. */
  undisturbed<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#applying.then(work);
    this.#applying = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  /** A declared function, or undefined when there is none of this name. */
  functionOf(workload: string): Called | undefined {
    return this.#functions.get(workload);
  }

  /** How many instances and calls each running function has. */
  functionStatuses(): Map<string, FunctionStatus> {
    const statuses = new Map<string, FunctionStatus>();
    for (const [name, running] of this.#functions) statuses.set(name, running.status());
    return statuses;
  }

  /** How each resource is, by its key: what the plan says, and what functions and sources say of themselves. */
  statuses(): Map<string, Status> {
    const statuses = new Map(this.#plan.statuses);
    const set = (key: string, condition: string, trouble: Trouble | undefined) => {
      const status = statuses.get(key);
      if (status !== undefined) statuses.set(key, withCondition(status, condition, trouble));
    };
    for (const workload of this.#plan.workloads) {
      const running = this.#functions.get(workload.name);
      if (running === undefined) continue;
      const { state, reason, message } = running.status();
      // What is being installed is neither ready nor wrong.
      const held = reason === 'Installing' ? 'Unknown' : 'False';
      if (reason !== '') set(workload.key, 'ConfigurationsReady', { status: held, reason, message });
      if (state !== 'unavailable') continue;
      for (const route of this.#plan.routes) {
        if (route.target.kind !== 'function' || route.target.workload !== workload.name) continue;
        set(route.key, route.sinkCondition, {
          reason,
          message: `the Service ${workload.name} is not ready: ${message}`,
        });
      }
    }
    for (const { feed, status } of this.#sources.values()) {
      const told = status();
      if (told !== undefined) set(feed.key, SOURCE_CONDITION[feed.kind], told.ready ? undefined : told);
    }
    return statuses;
  }

  /** Closes the doors: sources and inlets. Resolves when what they had taken is durable. */
  async drainInlets(): Promise<void> {
    await this.#applying;
    for (const inlet of this.#plan.inlets) this.#actuators.closeInlet(inlet);
    await Promise.all(this.#plan.feeds.map((feed) => this.#stopSource(feed)));
  }

  /** Stops the functions; resolves when what they have is finished. */
  async drainFunctions(): Promise<void> {
    await Promise.all(this.#plan.workloads.map((workload) => this.#stopFunction(workload)));
  }

  async #apply(plan: Plan): Promise<void> {
    const actuators = this.#actuators;
    const inlets = difference(this.#plan.inlets, plan.inlets, (it) => it.path);
    const feeds = difference(this.#plan.feeds, plan.feeds, (it) => it.name);
    const routes = difference(this.#plan.routes, plan.routes, (it) => it.name);
    const workloads = difference(this.#plan.workloads, plan.workloads, (it) => it.name);

    inlets.stopped.forEach((inlet) => actuators.closeInlet(inlet));
    await Promise.all(feeds.stopped.map((feed) => this.#stopSource(feed)));
    const declared = new Set(plan.routes.map((it) => it.name));
    const end = (route: Route) =>
      declared.has(route.name) ? actuators.stopRoute(route) : actuators.removeRoute(route);
    await Promise.all(routes.stopped.map(end));
    const isChanged = ({ name }: Workload) => workloads.started.some((it) => it.name === name);
    const removed = workloads.stopped.filter((it) => !isChanged(it));
    const ended = removed.map((workload) => this.#stopFunction(workload));

    // Should something not start, this is what runs, and what the next plan is compared with.
    const running = {
      workloads: kept(this.#plan.workloads, workloads.stopped),
      routes: kept(this.#plan.routes, routes.stopped),
      feeds: kept(this.#plan.feeds, feeds.stopped),
      inlets: kept(this.#plan.inlets, inlets.stopped),
    };
    this.#plan = { ...plan, ...running };
    for (const workload of workloads.started) {
      const known = this.#functions.get(workload.name);
      if (known === undefined) this.#functions.set(workload.name, actuators.functions.start(workload));
      else known.change(workload);
      running.workloads.push(workload);
    }
    await actuators.placeRoutes(routes.started);
    for (const route of routes.started) {
      await actuators.startRoute(route);
      running.routes.push(route);
    }
    for (const feed of feeds.started) {
      this.#startSource(feed);
      running.feeds.push(feed);
    }
    for (const inlet of inlets.started) {
      actuators.openInlet(inlet);
      running.inlets.push(inlet);
    }
    this.#plan = plan;
    await Promise.all(ended);
  }

  #startSource(feed: Feed): void {
    const actuators = this.#actuators;
    let status: SourceStatus | undefined;
    const running = actuators.sources(feed, actuators.outletOf(feed), (told) => {
      status = told;
    });
    this.#sources.set(feed.name, { feed, running, status: () => status });
    if (feed.kind === 'WebhookSource' && running.receive !== undefined)
      actuators.openReceiver(feed.options.path, running.receive);
  }

  async #stopSource(feed: Feed): Promise<void> {
    const source = this.#sources.get(feed.name);
    this.#sources.delete(feed.name);
    if (feed.kind === 'WebhookSource') this.#actuators.closeReceiver(feed.options.path);
    await source?.running.drain();
  }

  async #stopFunction(workload: Workload): Promise<void> {
    const running = this.#functions.get(workload.name);
    this.#functions.delete(workload.name);
    await running?.drain();
  }
}

function kept<T>(before: readonly T[], stopped: readonly T[]): T[] {
  return before.filter((item) => !stopped.includes(item));
}
