import type { Environment } from '../environment.ts';
import type { Filter } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { Entry } from '../log/log.ts';
import type { Progress } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';
import type { Targets } from './attempt.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface RetiringOptions {
  readonly dispatcher: Dispatcher;
  readonly progress: Progress;
  readonly targetsOf: (route: Route) => Targets;
  readonly environment: Environment;
}

const LOOK_EVERY_MS = 500;

/** A route of a flow as it was last declared, and its filter. */
interface Defined {
  readonly route: Route;
  readonly wants: Filter;
}

/**
 * Routes of flows that are no longer declared: the step was taken out, or the flow was. They go on as they were last
 * defined until nothing is left for them, so that what was accepted ends as it began. Their definitions are kept in the
 * store, as the manifests do not hold them any more: a change made while nothing ran is one like any other.
 */
export class RetiringRoutes {
  readonly #options: RetiringOptions;
  /** Those that are declared and those that retire, by name; and by topic and name. */
  readonly #defined = new Map<string, Defined>();
  readonly #ofTopic = new Map<string, Map<string, Defined>>();
  readonly #retiring = new Map<string, Route>();
  /** Those that are being taken leave of. */
  readonly #ending = new Map<string, Promise<void>>();
  #cancelLook: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RetiringOptions) {
    this.#options = options;
    for (const definition of options.progress.definitions().values()) this.#remember(JSON.parse(definition) as Route);
  }

  get routes(): Iterable<Route> {
    return this.#retiring.values();
  }

  /**
   * The route that carries an entry on in its flow, whether or not it runs at this moment; undefined when its topic is no
   * part of one, or none wants it. A route that waits for the others of its topic stands for all of them.
   */
  stepOf({ topic, event }: Entry): string | undefined {
    let found: string | undefined;
    for (const { route, wants } of this.#ofTopic.get(topic)?.values() ?? []) {
      if (route.step === undefined || !wants(event)) continue;
      if (route.target.kind === 'join' || route.target.kind === 'map') return route.name;
      found ??= route.name;
    }
    return found;
  }

  /** A route is declared: its definition is kept from now on. If it was about to retire, it stays; resolves when it has stopped. */
  async declared(route: Route): Promise<void> {
    const { dispatcher, progress } = this.#options;
    const { name } = route;
    await this.#ending.get(name);
    if (this.#retiring.delete(name)) await dispatcher.stop(name);
    await progress.define(name, JSON.stringify(route));
    this.#forget(name);
    this.#remember(route);
  }

  /** A route is declared no longer. A running one goes on; one without its target gives up what waits for it, visibly. */
  async retire(route: Route): Promise<void> {
    const { dispatcher, targetsOf } = this.#options;
    this.#retiring.set(route.name, route);
    if (dispatcher.route(route.name) === undefined) {
      await dispatcher.stop(route.name);
      await dispatcher.start(route, targetsOf(route));
    }
    this.#lookLater();
  }

  /** Takes up those that were retiring, or declared, when the last process ended. */
  async resume(declared: ReadonlySet<string>): Promise<void> {
    for (const [name, definition] of this.#options.progress.definitions()) {
      if (declared.has(name) || this.#retiring.has(name) || this.#ending.has(name)) continue;
      await this.retire(JSON.parse(definition) as Route);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
  }

  #remember(route: Route): void {
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
    } catch {
      // No space, or the log is broken: it is as if it had not been looked at. The next process takes it up if not this one.
    }
  }

  /**
   * Whether a route, besides those that are done, may still bring something into its topic. One of a flow that is just
   * being stopped counts as it was until it is declared anew: what it has under way still goes there.
   */
  #isFed({ name, topic }: Route, done: ReadonlyMap<string, Route>): boolean {
    const running = this.#options.dispatcher.routes;
    const feeds = (route: Route) => route.name !== name && !done.has(route.name) && leadsInto(route, topic);
    for (const { route } of running) if (feeds(route)) return true;
    for (const { route } of this.#defined.values()) if (feeds(route)) return true;
    return false;
  }
}

function leadsInto({ target, replyTopic, deadLetter }: Route, topic: string): boolean {
  if (replyTopic === topic) return true;
  if (target.kind === 'topic' && target.topic === topic) return true;
  if (deadLetter?.kind === 'topic' && deadLetter.topic === topic) return true;
  return target.kind === 'map' && target.items === topic;
}
