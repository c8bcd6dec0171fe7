import { facts } from '../log/facts.ts';
import type { Prewarmed } from '../log/facts.ts';
import type { Entry } from '../log/log.ts';
import type { Route } from '../plan/plan.ts';
import type { Callee } from './callee.ts';

/** So many functions at most get ready for one event. */
const MOST_NEXT = 4;

/** What is known of a route that may be next. */
interface Next {
  readonly route: Route;
  readonly callee: () => Callee | undefined;
}

/**
 * Gets functions ready while the one before them is still at work: when an event enters a route, those that will get
 * its reply begin to start. Which those are is known where the reply's topic has routes without a filter, as the steps
 * of a flow have; for the others it is learned from the replies that went there before.
 */
export class Prewarm {
  /** Routes to functions, by the topic that they read. */
  readonly #readers = new Map<string, Map<string, Next>>();
  /** Where the replies of a route went, the latest last. */
  readonly #learned = new Map<string, Set<string>>();

  /** A route begins that ends at this function. */
  add(route: Route, callee: () => Callee | undefined): void {
    const readers = this.#readers.get(route.topic) ?? new Map<string, Next>();
    readers.set(route.name, { route, callee });
    this.#readers.set(route.topic, readers);
  }

  remove(route: Route): void {
    const readers = this.#readers.get(route.topic);
    readers?.delete(route.name);
    if (readers?.size === 0) this.#readers.delete(route.topic);
    this.#learned.delete(route.name);
  }

  /** A route has taken an entry: if that is a reply, the route that it comes from leads here. */
  took({ cause }: Entry, route: Route): void {
    if (cause === undefined) return;
    let next = this.#learned.get(cause.route);
    if (next === undefined) this.#learned.set(cause.route, (next = new Set()));
    // Again, so that what is not used any more comes to stand first.
    next.delete(route.name);
    next.add(route.name);
    if (next.size > MOST_NEXT) next.delete(next.values().next().value!);
  }

  /** An attempt of this route begins. */
  began({ name, replyTopic }: Route): void {
    const readers = replyTopic === undefined ? undefined : this.#readers.get(replyTopic);
    if (readers === undefined) return;
    const learned = this.#learned.get(name);
    let count = 0;
    for (const [nextName, { route, callee }] of readers) {
      if (nextName === name || !(isUnfiltered(route) || learned?.has(nextName))) continue;
      const next = callee();
      if (next === undefined) continue;
      next.warm();
      if (facts.prewarmed.hasSubscribers) facts.prewarmed.publish({ route: name, next: nextName } satisfies Prewarmed);
      if ((count += 1) === MOST_NEXT) return;
    }
  }
}

function isUnfiltered({ filter: { filter, filters } }: Route): boolean {
  return !filters?.length && Object.keys(filter?.attributes ?? {}).length === 0;
}
