import { FilterIndex } from '../filter/filter-index.ts';
import type { Filter } from '../filter/filter.ts';
import { triggerRequirements } from '../filter/trigger-filter.ts';
import type { Log, Position } from '../log/log.ts';
import type { RunningRoute } from './route.ts';

/** At most so many entries are looked at in one turn; then others have theirs. */
const ENTRIES_A_TURN = 256;

/**
 * Reads a topic once for all its routes that keep up, and offers each entry to those whose filters let it pass: through
 * an index, so that a thousand triggers do not cost a thousand evaluations.
 */
export class TopicReader {
  readonly topic: string;
  readonly routes = new Set<RunningRoute>();
  readonly #log: Log;
  readonly #index = new FilterIndex<RunningRoute>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #position: Position;

  constructor(topic: string, log: Log) {
    this.topic = topic;
    this.#log = log;
    this.#position = log.end(topic);
    this.#running = this.#run();
  }

  /** Every entry up to here has been offered to all routes that follow. */
  get position(): Position {
    return this.#position;
  }

  /** `filter` is the compiled filter of the route. */
  add(route: RunningRoute, filter: Filter): void {
    this.routes.add(route);
    this.#index.add(triggerRequirements(route.route.filter), filter, route);
  }

  remove(route: RunningRoute): void {
    this.routes.delete(route);
    this.#index.remove(route);
  }

  /** Offers nothing more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const entries = await this.#log.read(this.topic, this.#position, ENTRIES_A_TURN, signal);
      for (const entry of entries) {
        this.#index.match(entry.event, (route) => route.offer(entry));
        this.#position = entry.position;
      }
      if (entries.length === ENTRIES_A_TURN) await nextTurn();
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
