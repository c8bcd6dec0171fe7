import type { FastifyInstance } from 'fastify';

import type { CloudEvent } from '@millrace/event/event';
import type { Outlet } from '@millrace/event/source';

import { Calls } from './calls/calls.ts';
import { Control } from './control/control.ts';
import type { FunctionHost, SourceHost } from './control/ports.ts';
import { Dispatcher } from './delivery/dispatcher.ts';
import { RetiringRoutes } from './delivery/retiring.ts';
import { TargetFactory } from './delivery/targets.ts';
import { systemEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { explainTriggerFilter } from './filter/trigger-filter.ts';
import { Flows } from './flows/flows.ts';
import { FunctionDoor } from './ingress/function-door.ts';
import { openIngress } from './ingress/ingress.ts';
import { documentDoor, guardedDoor } from './ingress/guarded-door.ts';
import type { Door, Paths } from './ingress/paths.ts';
import { ForwardProxy } from './ingress/proxy.ts';
import { requestReplyDoor } from './ingress/request-reply-door.ts';
import { openGate } from './log/gate.ts';
import type { Gate } from './log/gate.ts';
import type { DeadLetterKey } from './log/history.ts';
import type { Entry, Position } from './log/log.ts';
import type { Store } from './log/store.ts';
import { newTraceparent } from './log/trace-context.ts';
import type { Feed, Plan, Route } from './plan/plan.ts';
import { openReplyIds } from './replies/reply-ids.ts';
import { RequestReplies } from './replies/request-replies.ts';
import { Runs } from './replies/runs.ts';
import { openWaitingTable } from './replies/waiting-table.ts';
import { TopicChecks } from './schema/topic-checks.ts';
import { Gatekeeper } from './security/gatekeeper.ts';
import type { Identity } from './security/tls.ts';
import type { Verify } from './security/verifier.ts';
import { openEvaluator } from './transform/evaluator.ts';
import type { Evaluator } from './transform/evaluator.ts';
import { Traffic } from './telemetry/traffic.ts';
import { Transforms } from './transform/transforms.ts';
import { transformPath } from './plan/event-transform.ts';

export interface BusOptions {
  readonly store: Store;
  readonly functions: FunctionHost;
  readonly sources: SourceHost;
  /** Default: the machine's clock and chance. */
  readonly environment?: Environment;
  /** The data of one event, in bytes. Default: 1 MiB. */
  readonly maxEventBytes?: number;
  /** Addresses that stand for others, `host:port` to `host:port`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** How long entries are kept that all routes have passed, in milliseconds. Default: 7 days. */
  readonly retainMs?: number;
  /** How large the store may grow before such entries go earlier. Default: 10 GiB. */
  readonly retainBytes?: number;
  /** Whether events that come without a trace begin one. Default: false. */
  readonly trace?: boolean;
  /** Who makes tokens, and who may send what. Default: everybody may send everything, and no tokens are sent. */
  readonly authentication?: BusAuthentication | undefined;
  /** What the port that takes events shows of itself. Default: nothing, it speaks plain HTTP. */
  readonly identity?: Identity | undefined;
  /** Whether functions get ready while those before them in a flow are at work. Default: true. */
  readonly prewarm?: boolean;
}

/** How senders are authenticated; what they may is in the plan. */
export interface BusAuthentication {
  readonly verify: Verify;
  /** The token of a sender of ours for an audience. Default: none is sent. */
  readonly tokenOf?: ((subject: string, audience: string) => Promise<string>) | undefined;
  /** What is shown on the port that takes events to who verifies our tokens, by path. Default: nothing. */
  readonly documents?: (() => ReadonlyMap<string, object>) | undefined;
}

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;
const TRIM_EVERY_MS = 60_000;

/**
 * The bus: all rooms, wired. Nothing runs before the first {@link apply}.
 *
 * Its end, in order: `drain` answers 503 at the doors, lets sources finish what they took, lets deliveries under way
 * finish, saves the positions; `close` lets go of functions, connections and the store.
 */
export class Bus {
  readonly store: Store;
  readonly gate: Gate;
  readonly ingress: FastifyInstance;
  readonly dispatcher: Dispatcher;
  readonly control: Control;
  /** The asynchronous calls of functions. */
  readonly calls: Calls;
  /** What became of events whose senders wait for it. */
  readonly runs: Runs;
  /** Which types of events enter brokers and channels. */
  readonly traffic = new Traffic();
  /** Requests that are held until their reply comes. */
  readonly requestReplies: RequestReplies;
  readonly #functionDoor: FunctionDoor;
  readonly #proxy: ForwardProxy;
  readonly #targets: TargetFactory;
  readonly #retiring: RetiringRoutes;
  readonly #flows: Flows;
  readonly #transforms: Transforms;
  readonly #evaluator: Evaluator;
  readonly #paths: Paths = { inlets: new Map(), receivers: new Map(), doors: new Map() };
  readonly #checks = new TopicChecks();
  readonly #gatekeeper: Gatekeeper | undefined;
  readonly #options: BusOptions;
  readonly #environment: Environment;
  #cancelTrim: (() => void) | undefined;
  #isDraining = false;
  /** Whether all routes run that are declared. */
  #standsAsPlanned = false;
  #hasStood = false;
  #drained: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: BusOptions) {
    const { store, environment = systemEnvironment, maxEventBytes = MIB, aliases = {} } = options;
    this.#options = options;
    this.#environment = environment;
    this.store = store;
    const { authentication } = options;
    const gatekeeper = authentication && new Gatekeeper(authentication.verify);
    this.#gatekeeper = gatekeeper;
    this.gate = openGate({
      log: store.log,
      maxEventBytes,
      now: () => environment.now(),
      newTraceparent: options.trace === true ? () => newTraceparent(() => environment.random()) : undefined,
      checkOf: (topic) => this.#checks.of(topic),
      entered: (entries) => {
        this.#flows.entered(entries);
        this.runs.entered(entries);
        this.traffic.entered(entries);
      },
    });
    this.#flows = new Flows({
      log: store.log,
      history: store.history,
      gate: this.gate,
      environment,
      maxEventBytes,
      stepOf: (entry) => this.#retiring.stepOf(entry),
      beganAt: (route) => this.dispatcher.beganAt(route),
      cancel: async ({ route, position }) => {
        const entry = store.log.get(position);
        return entry !== undefined && ((await this.dispatcher.route(route)?.cancel(entry)) ?? false);
      },
    });
    this.calls = new Calls({
      store,
      gate: this.gate,
      underWay: (route, position) => this.dispatcher.route(route)?.underWay(position),
      cancel: async (route, entry) => (await this.dispatcher.route(route)?.cancel(entry)) ?? false,
    });
    this.runs = new Runs({
      history: store.history,
      routes: {
        // A step that is being changed does not run for a moment, and takes the entry all the same.
        of: (entry) => [...new Set([...this.dispatcher.routesFor(entry), ...this.#changing(entry)])],
        forwards: (name, topic) => {
          const route = this.dispatcher.route(name)?.route;
          if (route === undefined) return undefined;
          const { kind } = route.target;
          return kind === 'topic' || (kind === 'transform' && topic !== route.replyTopic);
        },
      },
      environment,
      isPlanned: () => this.#hasStood,
    });
    this.requestReplies = new RequestReplies({
      gate: this.gate,
      table: openWaitingTable(environment),
      ids: openReplyIds(),
    });
    this.#functionDoor = new FunctionDoor({
      plan: () => this.control.plan,
      functionOf: (workload) => this.control.functionOf(workload),
      calls: this.calls,
      paths: this.#paths,
      maxEventBytes,
      isDraining: () => this.#isDraining,
    });
    this.ingress = openIngress({
      gate: this.gate,
      paths: this.#paths,
      functions: this.#functionDoor,
      runs: this.runs,
      maxEventBytes,
      identity: options.identity,
      gatekeeper,
      isDraining: () => this.#isDraining,
    });
    this.#proxy = new ForwardProxy({
      directory: this.#functionDoor.directory,
      dataPort: this.ingress.server,
      aliases,
    });
    this.dispatcher = new Dispatcher({
      log: store.log,
      progress: store.progress,
      gate: this.gate,
      environment,
      earlierOf: (route) => this.#retiring.earlierOf(route),
      prewarm: options.prewarm,
      judge: gatekeeper && ((route, topic, event) => gatekeeper.judge(route, topic, event)),
      settled: (settlement) => {
        this.#flows.settled(settlement);
        this.runs.settled(settlement);
      },
    });
    this.#retiring = new RetiringRoutes({
      dispatcher: this.dispatcher,
      log: store.log,
      progress: store.progress,
      targetsOf: (route) => this.#targets.of(route),
      environment,
    });
    this.control = new Control({
      openInlet: (inlet) => this.#paths.inlets.set(inlet.path, inlet),
      closeInlet: (inlet) => this.#paths.inlets.delete(inlet.path),
      placeRoutes: async (routes) => {
        await this.#retiring.place(routes.filter((it) => isOfFlow(it)));
        await this.dispatcher.place(routes);
        this.#checks.placed();
      },
      startRoute: (route) => this.#startRoute(route),
      stopRoute: (route) => this.dispatcher.stop(route.name),
      removeRoute: (route) => (isOfFlow(route) ? this.#retiring.retire(route) : this.dispatcher.stop(route.name)),
      openReceiver: (path, receive) => this.#paths.receivers.set(path, receive),
      closeReceiver: (path) => this.#paths.receivers.delete(path),
      outletOf: (feed) => this.#outletOf(feed),
      functions: options.functions,
      sources: options.sources,
    });
    this.#targets = new TargetFactory({
      functionOf: (workload) => this.control.functionOf(workload),
      transformOf: (transform) => this.#transforms.handlerOf(transform),
      flows: this.#flows,
      answerWaiter: (requestReply, event) => this.requestReplies.answerWaiter(requestReply, event),
      mismatchOf: (topic, event) => this.#checks.of(topic)?.check(event),
      aliases,
      maxAnswerBytes: 6 * maxEventBytes,
      now: () => environment.now(),
      tokenOf: authentication?.tokenOf,
      proxyUrl: () => this.#proxy.url,
    });
    this.#evaluator = openEvaluator({ maxBytes: maxEventBytes });
    this.#transforms = new Transforms({
      evaluator: this.#evaluator,
      sinkOf: (target, { name, key }) => this.#targets.sink(target, { name: `transforms/${name}`, key }),
      gate: this.gate,
    });
    this.#trimLater();
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * The forward proxy that knows the names of the cluster, for `HTTP_PROXY` of what functions run in; undefined before the
   * first plan that declares one.
   */
  get proxyUrl(): string | undefined {
    return this.#proxy.url;
  }

  /** Resolves when everything runs as the plan says. */
  async apply(plan: Plan): Promise<void> {
    this.#standsAsPlanned = false;
    await (plan.workloads.length > 0 ? this.#proxy.begin() : this.#proxy.begun);
    this.#transforms.declare(plan.transforms);
    const standing = new Set(this.control.plan.routes.map((it) => it.name));
    this.#checks.announce(plan.schemaChecks, (route) => standing.has(route));
    this.traffic.follow(new Map(plan.inlets.filter((it) => isPlace(it.key)).map((it) => [it.topic, it.key])));
    // Before anything opens that is to be guarded.
    this.#gatekeeper?.declare(plan.protections);
    await this.control.apply(plan);
    this.#openDoors(plan);
    await this.#retiring.resume(new Set(plan.routes.map((it) => it.name)));
    this.#standsAsPlanned = true;
    this.#hasStood = true;
  }

  /** What each route of an entry's topic makes of it, by its filter as it is now, and why. */
  verdicts({ topic, event }: Entry): { route: string; matched: boolean; reason: string }[] {
    return this.control.plan.routes
      .filter((route) => route.topic === topic)
      .map((route) => {
        const { matched, message } = explainTriggerFilter(route.filter, event);
        return { route: route.name, matched, reason: message };
      });
  }

  /** Per route, how far its position is behind the end of its topic: an upper bound of what it has still to look at. */
  lag(): Record<string, number> {
    return this.dispatcher.lag();
  }

  /** Makes routes take up dead letters again. Resolves with how many. */
  async redrive(selected: readonly DeadLetterKey[]): Promise<number> {
    // Of a route that is gone nobody would take it up: it stays where it is seen.
    const there = selected.filter((it) => this.dispatcher.beganAt(it.route) !== undefined);
    const count = await this.store.deadLetters.redrive(there, this.#environment.now());
    for (const route of new Set(selected.map((it) => it.route))) this.dispatcher.route(route)?.wake();
    return count;
  }

  /** Moves routes; see {@link Dispatcher.move}. A route goes on where it is moved to when `seek` resolves. */
  readonly seeking = {
    standing: (name: string): { position: Position; inFlight: number } | undefined => {
      const position = this.dispatcher.standsAt(name);
      return position === undefined ? undefined : { position, inFlight: this.dispatcher.route(name)?.inFlight ?? 0 };
    },
    seek: (name: string, position: Position, way: 'back' | 'forward'): Promise<boolean> =>
      this.control.undisturbed(async () => {
        const route = this.control.plan.routes.find((it) => it.name === name);
        if (route === undefined) return false;
        try {
          await this.dispatcher.move(route, position, way);
        } finally {
          if (!this.#isDraining) await this.#startRoute(route);
        }
        return true;
      }),
  };

  /** Takes nothing more; resolves when what was taken is durable and what was begun is over. Idempotent. */
  drain(): Promise<void> {
    this.#isDraining = true;
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Lets go of everything, without waiting for what is under way longer than the store needs. Idempotent. */
  close(): Promise<void> {
    this.#isDraining = true;
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #drain(): Promise<void> {
    this.#functionDoor.drain();
    this.#letGo();
    await this.control.drainInlets();
    this.#retiring.close();
    await this.dispatcher.drain();
    await this.control.drainFunctions();
  }

  async #close(): Promise<void> {
    this.#cancelTrim?.();
    this.#letGo();
    this.#retiring.close();
    this.dispatcher.close();
    await Promise.all([this.ingress.close(), this.#proxy.close()]);
    await Promise.all([this.#targets.close(), this.#evaluator.close()]);
    await this.store.close();
  }

  /** Nobody is held any longer for what comes of an event. */
  #letGo(): void {
    this.requestReplies.drain();
    this.runs.drain();
  }

  #openDoors({ transforms, requestReplies }: Plan): void {
    const { doors } = this.#paths;
    doors.clear();
    this.requestReplies.declare(requestReplies);
    for (const it of requestReplies) {
      doors.set(it.path, this.#guarded(it.path, requestReplyDoor(it, this.requestReplies)));
    }
    for (const { name } of transforms) {
      const door = this.#transforms.doorOf(name);
      const path = transformPath(name);
      if (door !== undefined) doors.set(path, this.#guarded(path, door));
    }
    const documents = this.#options.authentication?.documents?.() ?? [];
    for (const [path, document] of documents) doors.set(path, documentDoor(document));
  }

  #guarded(path: string, door: Door): Door {
    return this.#gatekeeper === undefined ? door : guardedDoor(path, door, this.#gatekeeper);
  }

  /** Routes of flows that want an entry and do not run at this moment. */
  #changing(entry: Entry): string[] {
    return this.#retiring.routesFor(entry).filter((name) => this.dispatcher.beganAt(name) === undefined);
  }

  async #startRoute(route: Route): Promise<void> {
    await this.dispatcher.start(route, route.target.kind === 'missing' ? undefined : this.#targets.of(route));
  }

  #outletOf(feed: Feed): Outlet {
    const park = async (event: CloudEvent, reason: string): Promise<void> => {
      const [entry] = await this.gate.enter(parkedTopic(feed), [{ event }]);
      const failure = { destination: feed.name, message: reason };
      const settled = {
        route: feed.name,
        position: entry!.position,
        attempt: 1,
        stage: 'subscriber',
        outcome: 'parked',
        failure,
        root: failure,
      } as const;
      await this.store.progress.settle([
        { ...settled, startedAt: this.#environment.now(), duration: 0, waited: false },
      ]);
    };
    return {
      emit: async (events, headers) => {
        const refused = events.map((event) => this.#objection(feed, event));
        const taken = events.filter((_, index) => refused[index] === undefined);
        if (taken.length > 0) {
          await this.gate.enter(
            feed.topic,
            taken.map((event) => ({ event, headers })),
          );
        }
        for (const [index, reason] of refused.entries()) if (reason !== undefined) await park(events[index]!, reason);
      },
      park,
    };
  }

  /** Why a source may not bring an event to its sink; undefined where it may. */
  #objection({ key, topic }: Feed, event: CloudEvent): string | undefined {
    const route = this.#gatekeeper && this.control.plan.routes.find((it) => it.key === key);
    return route && this.#gatekeeper?.judge(route, topic, event);
  }
  #trimLater(): void {
    this.#cancelTrim = this.#environment.after(TRIM_EVERY_MS, () => {
      void this.#trim().finally(() => {
        if (!this.#isDraining) this.#trimLater();
      });
    });
  }

  async #trim(): Promise<void> {
    // While routes come and go, nobody knows what they have passed.
    if (!this.#standsAsPlanned) return;
    const { retainMs = 7 * DAY_MS, retainBytes = 10 * 1024 * MIB } = this.#options;
    try {
      // Also what nothing declares any more goes in its time. What still needs it reads it, waits or is dead.
      const passed = this.dispatcher.passed(this.store.log.topics());
      // What follows from an entry has a later position. As long as a join or a Map is open, it may look at all of it.
      const floor = this.dispatcher.oldestOpen() - 1;
      for (const [topic, position] of passed) passed.set(topic, Math.min(position, floor));
      await this.store.trim({ before: this.#environment.now() - retainMs, maxBytes: retainBytes, passed });
    } catch {
      // A full or broken store says so to whoever writes next.
    }
  }
}

/** What is accepted into a flow ends as it began, whatever is declared meanwhile. */
function isOfFlow({ manner, isReply }: Route): boolean {
  return manner === 'flow' || isReply === true;
}

/** A topic that nobody reads: what rests there waits for somebody to redrive it through the source's route. */
function parkedTopic(feed: Feed): string {
  return `parked/${feed.name}`;
}

/** Whether something is a place where events of others enter, and no part of a flow. */
function isPlace(key: string): boolean {
  const kind = key.slice(0, key.indexOf('/'));
  return kind === 'Broker' || kind.endsWith('Channel');
}
