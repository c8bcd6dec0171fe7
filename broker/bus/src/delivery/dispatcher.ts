import type { Environment } from '../environment.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { Gate } from '../log/gate.ts';
import type { Entry, Log, Position } from '../log/log.ts';
import type { Progress, SavedPosition, Settlement } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';
import type { Judge, Targets } from './attempt.ts';
import { entryFilter } from './decisions.ts';
import type { Earlier } from './decisions.ts';
import { Prewarm } from './prewarm.ts';
import { RunningRoute } from './route.ts';
import { TopicReader } from './topic-reader.ts';

export interface DispatcherOptions {
  readonly log: Log;
  readonly progress: Progress;
  readonly gate: Gate;
  readonly environment: Environment;
  /** What a route wanted of what came before its filter was changed. Default: what it wants now. */
  readonly earlierOf?: ((route: Route) => readonly Earlier[]) | undefined;
  /** Whether functions get ready while those before them are at work. Default: yes. */
  readonly prewarm?: boolean | undefined;
  /** Default: every route may bring everything everywhere. */
  readonly judge?: Judge | undefined;
  /** Is told what became of each attempt, when that is durable. */
  readonly settled?: ((settlement: Settlement) => void) | undefined;
}

/** A route whose target is not there yet: it keeps its place. */
interface Held {
  readonly route: Route;
  readonly position: Position;
  readonly wants: (entry: Entry) => boolean;
}

const SAVE_EVERY_MS = 1_000;

/** All routes at work: starts and stops them, and keeps their positions saved. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #readers = new Map<string, TopicReader>();
  readonly #routes = new Map<string, RunningRoute>();
  readonly #held = new Map<string, Held>();
  readonly #prewarm: Prewarm | undefined;
  #cancelSave: (() => void) | undefined;
  #isDraining = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#prewarm = options.prewarm === false ? undefined : new Prewarm();
    this.#saveLater();
  }

  get routes(): Iterable<RunningRoute> {
    return this.#routes.values();
  }

  route(name: string): RunningRoute | undefined {
    return this.#routes.get(name);
  }

  /** New routes begin with what arrives from now on. Resolves when that is durable. */
  async place(routes: readonly Route[]): Promise<void> {
    const { log, progress } = this.#options;
    const fresh = routes.filter((it) => progress.load(it.name) === undefined);
    if (fresh.length === 0) return;
    await progress.save(fresh.map((it) => ({ route: it.name, position: log.end(it.topic) })));
  }

  /**
   * Starts a route. A route that the log knows goes on where it stood; a new one begins with what arrives from now on,
   * and its beginning is durable when this resolves: no later crash can make it miss an event. Without targets, as they
   * are not there yet, it keeps its place and begins nothing. It takes nothing that comes after `until`.
   */
  async start(route: Route, targets: Targets | undefined, until?: Position): Promise<void> {
    const { log, progress } = this.#options;
    const known = progress.load(route.name);
    const from = known ?? { position: log.end(route.topic), finished: new Set<Position>() };
    if (known === undefined) {
      await progress.save([{ route: route.name, position: from.position }]);
    }
    if (targets === undefined) {
      this.#held.set(route.name, { route, position: from.position, wants: this.#wantsOf(route) });
      return;
    }
    this.#held.delete(route.name);
    const reader = this.#readerOf(route.topic);
    const filter = compileTriggerFilter(route.filter);
    const running = new RunningRoute({
      ...this.#options,
      log,
      route,
      targets,
      filter,
      earlier: this.#options.earlierOf?.(route) ?? [],
      from,
      until,
      topicPosition: () => reader.position,
      prewarm: this.#prewarm,
    });
    const { subscriber } = targets;
    if ('callee' in subscriber && subscriber.callee !== undefined) this.#prewarm?.add(route, subscriber.callee);
    this.#routes.set(route.name, running);
    reader.add(running, filter);
    running.start();
  }

  /** Stops a route; resolves when what it has under way is over. Its position and what waits are kept. */
  async stop(name: string): Promise<void> {
    this.#held.delete(name);
    const running = this.#routes.get(name);
    if (running === undefined) return;
    this.#routes.delete(name);
    const reader = this.#readerOf(running.route.topic);
    reader.remove(running);
    this.#prewarm?.remove(running.route);
    await running.drain();
    await this.#save({ route: name, position: running.passed() });
    if (reader.routes.size > 0) return;
    this.#readers.delete(reader.topic);
    await reader.stop();
  }

  /**
   * Stops a route and moves it: everything up to the position is behind it from then on, and nothing after that but what
   * waits or is dead. Forward, a route that has come farther by itself stays there. Resolves when that is durable. Until
   * it starts again it keeps its place, so that retention takes nothing that it is to come to.
   */
  async move(route: Route, position: Position, way: 'back' | 'forward'): Promise<void> {
    const { progress } = this.#options;
    const stood = this.standsAt(route.name) ?? position;
    const stopped = this.stop(route.name);
    this.#held.set(route.name, { route, position: Math.min(stood, position), wants: this.#wantsOf(route) });
    await stopped;
    if (way === 'back') return progress.rewind(route.name, position);
    const reached = progress.load(route.name)?.position ?? 0;
    if (reached < position) await progress.save([{ route: route.name, position }]);
  }

  /** Up to where a route has everything behind it, also one that is held; undefined for one that is not there. */
  standsAt(name: string): Position | undefined {
    return this.#routes.get(name)?.passed() ?? this.#held.get(name)?.position;
  }

  /** Per topic, the position that all its routes have passed; for retention. */
  passed(topics: Iterable<string>): Map<string, Position> {
    const passed = new Map<string, Position>();
    for (const topic of topics) {
      let least = this.#options.log.end(topic);
      for (const route of this.#readers.get(topic)?.routes ?? []) least = Math.min(least, route.passed());
      for (const held of this.#held.values()) if (held.route.topic === topic) least = Math.min(least, held.position);
      passed.set(topic, least);
    }
    return passed;
  }

  /** Per route, also of those that are held, how far its position is behind the end of its topic. */
  lag(): Record<string, number> {
    const { log } = this.#options;
    const lag: Record<string, number> = {};
    for (const { route, position } of this.#held.values()) lag[route.name] = log.end(route.topic) - position;
    for (const it of this.#routes.values()) lag[it.route.name] = log.end(it.route.topic) - it.passed();
    return lag;
  }

  /** The oldest entry that a join or a Map has open; Infinity when there is none. */
  oldestOpen(): Position {
    let oldest = Number.POSITIVE_INFINITY;
    for (const it of this.#routes.values()) {
      const { kind } = it.route.target;
      if (kind === 'join' || kind === 'map') oldest = Math.min(oldest, it.oldestOpen ?? oldest);
    }
    return oldest;
  }

  /** Where a route stood when it began, also one that is held; undefined for one that is not there. */
  beganAt(name: string): Position | undefined {
    return this.#routes.get(name)?.from ?? this.#held.get(name)?.position;
  }

  /** The routes that take an entry, or have taken it: those that were there when it came, and want it. */
  routesFor(entry: Entry): string[] {
    const { topic, position } = entry;
    const following = this.#readers.get(topic)?.routes ?? [];
    const running = [...following].filter((it) => it.from < position && it.wants(entry));
    const held = this.#held
      .values()
      .filter((it) => it.route.topic === topic && it.position < position && it.wants(entry));
    return [...running, ...held].map((it) => it.route.name);
  }

  /** Begins and saves nothing more, and waits for nothing: for an end without drain. */
  close(): void {
    this.#isDraining = true;
    this.#cancelSave?.();
    for (const route of this.#routes.values()) route.halt();
  }

  /** Begins nothing more; resolves when what is under way is over, and the positions are saved. */
  async drain(): Promise<void> {
    if (this.#isDraining) return;
    this.close();
    await Promise.all([...this.#readers.values()].map((reader) => reader.stop()));
    await Promise.all([...this.#routes.values()].map((route) => route.drain()));
    await this.#save();
  }

  #wantsOf(route: Route): Held['wants'] {
    return entryFilter(compileTriggerFilter(route.filter), this.#options.earlierOf?.(route) ?? []);
  }

  #readerOf(topic: string): TopicReader {
    let reader = this.#readers.get(topic);
    if (reader === undefined) {
      reader = new TopicReader(topic, this.#options.log);
      this.#readers.set(topic, reader);
    }
    return reader;
  }

  #saveLater(): void {
    this.#cancelSave = this.#options.environment.after(SAVE_EVERY_MS, () => {
      void this.#save().then(() => {
        if (!this.#isDraining) this.#saveLater();
      });
    });
  }

  /** Only what has moved is written. */
  async #save(stopped?: SavedPosition): Promise<void> {
    const moved = [...this.#routes.values()].map((route) => route.unsavedPosition()).filter((it) => it !== undefined);
    const positions = stopped === undefined ? moved : [...moved, stopped];
    if (positions.length === 0) return;
    try {
      await this.#options.progress.save(positions);
    } catch {
      // No space, or the log is broken: an older position repeats deliveries and loses none. Write them all next time.
      for (const route of this.#routes.values()) route.forgetSaved();
    }
  }
}
