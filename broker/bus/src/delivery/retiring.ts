import type { Environment } from '../environment.ts';
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

/**
 * Routes of flows that are no longer declared: the step was taken out, or the flow was. They go on as they were last
 * defined until nothing is left for them, so that what was accepted ends as it began. Their definitions are kept in the
 * store, as the manifests do not hold them any more: a change made while nothing ran is one like any other.
 */
export class RetiringRoutes {
  readonly #options: RetiringOptions;
  readonly #retiring = new Map<string, Route>();
  #cancelLook: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RetiringOptions) {
    this.#options = options;
  }

  get routes(): Iterable<Route> {
    return this.#retiring.values();
  }

  /** A route is declared: its definition is kept from now on. If it was about to retire, it stays; resolves when it has stopped. */
  async declared(route: Route): Promise<void> {
    const { dispatcher, progress } = this.#options;
    if (this.#retiring.delete(route.name)) await dispatcher.stop(route.name);
    await progress.define(route.name, JSON.stringify(route));
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
      if (declared.has(name) || this.#retiring.has(name)) continue;
      await this.retire(JSON.parse(definition) as Route);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook?.();
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#options.environment.after(LOOK_EVERY_MS, () => {
      void this.#look().finally(() => {
        this.#cancelLook = undefined;
        if (this.#retiring.size > 0 && !this.#isClosed) this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const { dispatcher, progress } = this.#options;
    const retiring = [...this.#retiring.values()];
    for (const route of retiring) {
      if (dispatcher.route(route.name)?.isIdle !== true || this.#isFed(route)) continue;
      this.#retiring.delete(route.name);
      await dispatcher.stop(route.name);
      await progress.define(route.name, undefined);
    }
  }

  /** Whether another route may still bring something into its topic. */
  #isFed({ name, topic }: Route): boolean {
    for (const { route } of this.#options.dispatcher.routes) {
      if (route.name === name) continue;
      const { target, replyTopic } = route;
      if (replyTopic === topic) return true;
      if (target.kind === 'topic' && target.topic === topic) return true;
      if (target.kind === 'map' && target.items === topic) return true;
    }
    return false;
  }
}
