import type { Environment } from '../environment.ts';
import type { Filter } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { Entry, Log, Position } from '../log/log.ts';
import type { Progress } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';
import type { Targets } from './attempt.ts';
import { Decisions, isDecision, isOption } from './decisions.ts';
import type { Earlier, Wishes } from './decisions.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface RetiringOptions {
  readonly dispatcher: Dispatcher;
  readonly log: Pick<Log, 'end'>;
  readonly progress: Progress;
  readonly targetsOf: (route: Route) => Targets;
  readonly environment: Environment;
}

const LOOK_EVERY_MS = 500;

/** A definition as it is kept. */
interface Kept extends Route {
  /** It takes nothing that comes after this: others read its topic since then. */
  readonly until?: Position;
  /** Whether that is to be decided yet: who reads the topic is known when the change is through. */
  readonly isUndecided?: true;
}

/** A route of a flow as it was last declared, and its filter. */
interface Defined {
  readonly route: Kept;
  readonly wants: Filter;
}

/**
 * Routes of flows that are no longer declared: the step was taken out, or the flow was. They go on as they were last
 * defined until nothing is left for them, so that what was accepted ends as it began. Their definitions are kept in the
 * store, as the manifests do not hold them any more: a change made while nothing ran is one like any other.
 */
export class RetiringRoutes {
  readonly #options: RetiringOptions;
  readonly #decisions: Decisions;
  /** Those that are declared and those that retire, by name; and by topic and name. */
  readonly #defined = new Map<string, Defined>();
  readonly #ofTopic = new Map<string, Map<string, Defined>>();
  readonly #retiring = new Map<string, Kept>();
  /** Those that are being taken leave of. */
  readonly #ending = new Map<string, Promise<void>>();
  /** While a plan is applied: where, in a topic, those that it declares take over from those that it does not. */
  readonly #cuts = new Map<string, Position>();
  #cancelLook: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RetiringOptions) {
    this.#options = options;
    this.#decisions = new Decisions(options.progress);
    for (const kept of this.#kept()) this.#remember(kept);
  }

  get routes(): Iterable<Route> {
    return this.#retiring.values();
  }

  /**
   * The route that carries an entry on in its flow, whether or not it runs at this moment; null when none there wants it,
   * undefined when its topic is no part of a flow. A route that waits for the others of its topic stands for all of them.
   */
  stepOf(entry: Entry): string | null | undefined {
    let found: string | null | undefined;
    for (const defined of this.#ofTopic.get(entry.topic)?.values() ?? []) {
      const { route } = defined;
      if (route.step === undefined) continue;
      if (!this.#wants(defined, entry)) {
        found ??= null;
        continue;
      }
      if (route.target.kind === 'join' || route.target.kind === 'map') return route.name;
      found ??= route.name;
    }
    return found;
  }

  /** The routes of flows that want an entry, whether or not they run at this moment. */
  routesFor(entry: Entry): string[] {
    const routes = [...(this.#ofTopic.get(entry.topic)?.values() ?? [])];
    return routes.filter((it) => this.#wants(it, entry)).map((it) => it.route.name);
  }

  /** What a route wanted of what came before its filter was changed, where exactly one of several is to take that. */
  earlierOf(route: Route): readonly Earlier[] {
    return this.#decisions.earlierOf(route);
  }

  /**
   * These are declared, for the first time or changed, and none of them runs. Resolves when it is durable which of them
   * takes what, and from where on.
   */
  async place(routes: readonly Route[]): Promise<void> {
    for (const [topic, declared] of Map.groupBy(routes.filter(isOption), (it) => it.topic)) {
      // Others are declared as they were if they run, or wait for their target.
      const { dispatcher } = this.#options;
      const others = this.#declaredIn(topic).filter((it) => dispatcher.beganAt(it.name) !== undefined);
      await this.#decide(topic, [...others, ...declared]);
    }
    await Promise.all(routes.map((it) => this.#declare(it)));
  }

  /** A route is declared: its definition is kept from now on. If it was about to retire, it stays; resolves when it has stopped. */
  async #declare(route: Route): Promise<void> {
    const { dispatcher, progress } = this.#options;
    const { name, topic } = route;
    await this.#ending.get(name);
    if (this.#retiring.delete(name)) await dispatcher.stop(name);
    const isNew = this.#isThrough(name);
    const position = this.#cutOf(topic);
    // Of their own, as what is kept anew goes to the end of the others.
    const others = [...(this.#ofTopic.get(topic)?.keys() ?? [])];
    for (const other of others) {
      const retiring = this.#retiring.get(other);
      if (retiring !== undefined) await this.retire(retiring);
    }
    // What came to its topic while it was not declared is for those that were. First, as a crash may come between the two.
    if (isNew && isShared(route)) {
      const from = isOption(route) ? this.#decisions.startOf(topic) : undefined;
      await progress.save([{ route: name, position: from ?? position }]);
    }
    await this.#keep(route);
  }

  /**
   * A route is declared no longer. A running one goes on with what came before now; one without its target gives up what
   * waits for it, visibly.
   */
  async retire(route: Kept): Promise<void> {
    const { dispatcher, targetsOf } = this.#options;
    const { name } = route;
    const isCut = route.until !== undefined || !isShared(route);
    const kept: Kept = isCut ? route : { ...route, until: this.#cutOf(route.topic), isUndecided: true };
    const { until } = kept;
    this.#retiring.set(name, kept);
    const running = dispatcher.route(name);
    if (!isCut) running?.endAt(until!);
    await this.#keep(kept);
    if (running === undefined) {
      await dispatcher.stop(name);
      await dispatcher.start(route, targetsOf(route), until);
    }
    this.#lookLater();
  }

  /**
   * A plan is applied. Takes up those that were retiring, or declared, when the last process ended. Where nothing reads a
   * topic any more but those that retire, they take what still comes.
   */
  async resume(declared: ReadonlySet<string>): Promise<void> {
    const { dispatcher } = this.#options;
    for (const kept of this.#kept()) {
      const { name } = kept;
      if (declared.has(name) || this.#retiring.has(name) || this.#ending.has(name)) continue;
      await this.retire(kept);
    }
    for (const { until, isUndecided, ...route } of this.#retiring.values()) {
      if (isUndecided !== true) continue;
      const others = this.#ofTopic.get(route.topic)?.keys() ?? [];
      const isRead = [...others].some((name) => declared.has(name));
      const kept: Kept = isRead && until !== undefined ? { ...route, until } : route;
      this.#retiring.set(route.name, kept);
      if (!isRead) dispatcher.route(route.name)?.endAt(Infinity);
      await this.#keep(kept);
    }
    // Where nothing was changed but that some are declared no longer.
    for (const topic of this.#decisions.topics) {
      const left = this.#declaredIn(topic).filter((it) => declared.has(it.name));
      if (left.length > 0) await this.#decide(topic, left);
    }
    this.#cuts.clear();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
  }

  /** Whether nothing is left of what a route was to take before it is declared, be it for the first time or again. */
  #isThrough(name: string): boolean {
    const { progress } = this.#options;
    const before = this.#defined.get(name)?.route;
    if (before === undefined) return true;
    const position = progress.load(name)?.position ?? 0;
    return before.until !== undefined && position >= before.until && progress.waiting(name, 1).length === 0;
  }

  #kept(): Kept[] {
    const definitions = [...this.#options.progress.definitions()].filter(([key]) => !isDecision(key));
    return definitions.map(([, definition]) => this.#bounded(JSON.parse(definition) as Kept));
  }

  /** Where a crash came between what all of a topic want and the end of one of them, the former counts. */
  #bounded(route: Kept): Kept {
    const end = isOption(route) ? this.#decisions.endOf(route) : undefined;
    if (end === undefined) return route;
    const { until: _until, isUndecided: _isUndecided, ...others } = route;
    return end === 'unbounded' ? others : { ...others, until: end };
  }

  #wants({ route, wants }: Defined, { event, position }: Entry): boolean {
    return (this.#decisions.filterFor(route, position) ?? wants)(event);
  }

  /** The routes of a topic that do not retire. */
  #declaredIn(topic: string): Route[] {
    const defined = [...(this.#ofTopic.get(topic)?.values() ?? [])];
    return defined.map((it) => it.route).filter((it) => !this.#retiring.has(it.name));
  }

  async #decide(topic: string, declared: readonly Route[]): Promise<void> {
    const { progress } = this.#options;
    const defined = [...(this.#ofTopic.get(topic)?.values() ?? [])].map((it) => it.route);
    // Before the version is forgotten that tells where they end.
    for (const route of defined) if (route.until !== undefined) await this.#keep(route);
    const positions = defined.map(({ name }) => progress.load(name)?.position ?? 0);
    await this.#decisions.declare(topic, wishesOf(declared), {
      from: this.#cutOf(topic),
      before: wishesOf(defined),
      passed: Math.min(...positions, this.#cutOf(topic)),
    });
  }

  async #keep(route: Kept): Promise<void> {
    await this.#options.progress.define(route.name, JSON.stringify(route));
    this.#forget(route.name);
    this.#remember(route);
  }

  #cutOf(topic: string): Position {
    const known = this.#cuts.get(topic);
    if (known !== undefined) return known;
    const { dispatcher, log } = this.#options;
    const cut = log.end(topic);
    this.#cuts.set(topic, cut);
    // At once: while the change goes on, none that retires takes what is for those that come after it.
    for (const name of this.#ofTopic.get(topic)?.keys() ?? []) {
      if (this.#retiring.has(name))
        dispatcher.route(name)?.endAt(Math.min(cut, this.#retiring.get(name)!.until ?? cut));
    }
    return cut;
  }

  #remember(route: Kept): void {
    const { name, topic } = route;
    const defined = { route, wants: compileTriggerFilter(route.filter) };
    this.#defined.set(name, defined);
    this.#ofTopic.set(topic, (this.#ofTopic.get(topic) ?? new Map<string, Defined>()).set(name, defined));
  }

  #forget(name: string): void {
    const topic = this.#defined.get(name)?.route.topic ?? '';
    this.#defined.delete(name);
    const others = this.#ofTopic.get(topic);
    others?.delete(name);
    if (others?.size === 0) this.#ofTopic.delete(topic);
  }

  #lookLater(): void {
    if (this.#isClosed) return;
    this.#cancelLook ??= this.#options.environment.after(LOOK_EVERY_MS, () => {
      this.#cancelLook = undefined;
      this.#look();
      if (this.#retiring.size > 0) this.#lookLater();
    });
  }

  /** Takes leave of those that have nothing left to do, and that nothing can reach but others of them. */
  #look(): void {
    const { dispatcher } = this.#options;
    // In the midst of a change it is not said yet who takes what comes.
    if (this.#cuts.size > 0) return;
    const done = new Map(this.#retiring.entries().filter(([name]) => dispatcher.route(name)?.isIdle === true));
    for (let before = -1; before !== done.size;) {
      before = done.size;
      for (const route of done.values()) if (this.#isFed(route, done)) done.delete(route.name);
    }
    for (const route of done.values()) {
      this.#retiring.delete(route.name);
      const ended = this.#end(route).finally(() => this.#ending.delete(route.name));
      this.#ending.set(route.name, ended);
    }
  }

  async #end(route: Route): Promise<void> {
    const { dispatcher, progress } = this.#options;
    const { name } = route;
    await dispatcher.stop(name);
    try {
      await progress.define(name, undefined);
      this.#forget(name);
      if (!this.#ofTopic.has(route.topic)) await this.#decisions.forget(route.topic);
    } catch {
      // No space, or the log is broken: it is as if it had not been looked at. The next process takes it up if not this one.
    }
  }

  /**
   * Whether a route, besides those that are done, may still bring something into its topic. One of a flow that is just
   * being stopped counts as it was until it is declared anew: what it has under way still goes there.
   */
  #isFed({ name, topic, until }: Kept, done: ReadonlyMap<string, Route>): boolean {
    if (until !== undefined) return false;
    const running = this.#options.dispatcher.routes;
    const feeds = (route: Route) => route.name !== name && !done.has(route.name) && leadsInto(route, topic);
    for (const { route } of running) if (feeds(route)) return true;
    for (const { route } of this.#defined.values()) if (feeds(route)) return true;
    return false;
  }
}

function wishesOf(routes: readonly Route[]): Wishes {
  return Object.fromEntries(routes.map(({ name, filter }) => [name, filter]));
}

/** Whether others may read its topic too: the branches of a Parallel, the choices of a Choice. */
function isShared({ name, topic, target }: Route): boolean {
  return name !== topic || target.kind === 'join';
}

function leadsInto({ target, replyTopic, deadLetter }: Route, topic: string): boolean {
  if (replyTopic === topic) return true;
  if (target.kind === 'topic' && target.topic === topic) return true;
  if (deadLetter?.kind === 'topic' && deadLetter.topic === topic) return true;
  return target.kind === 'map' && target.items === topic;
}
