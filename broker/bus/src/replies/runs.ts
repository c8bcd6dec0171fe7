import type { Environment } from '../environment.ts';
import type { History } from '../log/history.ts';
import type { Entry, Position } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';
import { callTopic } from '../plan/calls.ts';
import { Run } from './run.ts';
import type { RunEnd, RunOptions, RunRoutes } from './run.ts';

export interface RunsOptions {
  readonly history: Pick<History, 'find' | 'attempts' | 'replies' | 'waitingFor'>;
  readonly routes: RunRoutes;
  readonly environment: Pick<Environment, 'after'>;
  /** Whether the routes are there that a plan declares: before, nobody knows what takes an event. Default: they are. */
  readonly isPlanned?: (() => boolean) | undefined;
}

const CALLS = callTopic('');

/**
 * Runs that somebody asks for: what an event led to, up to its final reply. Nothing is followed while nobody asks; what
 * happened before is read from the history, so it makes no difference when that begins.
 */
export class Runs {
  readonly #options: RunsOptions;
  readonly #followers = new Map<Position, Set<Run>>();
  readonly #asking = new Set<AbortController>();
  readonly #runOptions: RunOptions;
  #isStopping = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#runOptions = {
      ...options,
      watch: (position, run) => this.#watch(position, run),
      forget: (position, run) => this.#forget(position, run),
    };
  }

  /** How many entries are followed. */
  get size(): number {
    return this.#followers.size;
  }

  /** The newest entry that began a run which can be asked for, by the id of its event; undefined when it is not kept. */
  find(id: string): Entry | undefined {
    const entry = this.#options.history.find(id);
    return entry?.topic.startsWith(CALLS) === true ? undefined : entry;
  }

  /**
   * Resolves with how the run of an entry has ended: as `open` when it has not after so many milliseconds, or when the
   * signal aborts. With none to wait, it tells how it is now. Before the first plan stands, every run is open.
   */
  async follow(root: Entry, signal: AbortSignal, waitMs: number): Promise<RunEnd> {
    if (this.#options.isPlanned?.() === false) return { outcome: 'open' };
    const asking = new AbortController();
    const letGo = () => asking.abort();
    if (signal.aborted) letGo();
    signal.addEventListener('abort', letGo, { once: true });
    this.#asking.add(asking);
    const run = new Run(root, this.#runOptions);
    let cancel: (() => void) | undefined;
    try {
      await run.catchUp(asking.signal);
      // What is there already is told, however little time there is.
      if (waitMs <= 0 || this.#isStopping) letGo();
      else cancel = this.#options.environment.after(waitMs, letGo);
      return await run.end(asking.signal);
    } finally {
      cancel?.();
      run.close();
      signal.removeEventListener('abort', letGo);
      this.#asking.delete(asking);
    }
  }

  /** Is told of what entered the log. */
  entered(entries: readonly Entry[]): void {
    if (this.#followers.size === 0) return;
    for (const entry of entries) {
      const { cause } = entry;
      if (cause === undefined) continue;
      for (const run of this.#followers.get(cause.position) ?? []) run.entered(entry, cause);
    }
  }

  /** Is told what became of each attempt, when that is durable, after what it brought into the log. */
  settled(settlement: Settlement): void {
    if (this.#followers.size === 0) return;
    for (const run of this.#followers.get(settlement.position) ?? []) run.settled(settlement);
  }

  /** Nobody is kept waiting any longer. */
  drain(): void {
    this.#isStopping = true;
    for (const asking of this.#asking) asking.abort();
  }

  #watch(position: Position, run: Run): void {
    const others = this.#followers.get(position);
    if (others === undefined) this.#followers.set(position, new Set([run]));
    else others.add(run);
  }

  #forget(position: Position, run: Run): void {
    const others = this.#followers.get(position);
    others?.delete(run);
    if (others?.size === 0) this.#followers.delete(position);
  }
}
