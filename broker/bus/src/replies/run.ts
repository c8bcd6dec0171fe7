import type { History } from '../log/history.ts';
import type { Cause, Entry, Position } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';
import { repliesTopic, resultsTopic } from '../plan/topics.ts';
import { BroughtEntries } from './brought.ts';
import { isFailure, NO_PAST, pastOf, reasonOf } from './past.ts';
import type { Past } from './past.ts';

/** How a run has ended, or that it has not. */
export type RunEnd =
  /** With its final reply. */
  | { readonly outcome: 'replied'; readonly entry: Entry }
  /** All that it led to is over, and nothing of it is a reply. */
  | { readonly outcome: 'silent' }
  /** The same, and something of it failed for good. */
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'open' };

/** What a run must know of the routes as they are now. */
export interface RunRoutes {
  /** The names of those that take an entry, or will: not of those that were past it when they began. */
  of(entry: Entry): readonly string[];
  /** Whether what it brings into a topic is handed on there, and no reply; undefined for one that is not there any more. */
  forwards(route: string, topic: string): boolean | undefined;
}

export interface RunOptions {
  readonly history: Pick<History, 'attempts' | 'replies' | 'waitingFor'>;
  readonly routes: RunRoutes;
  /** From now on the run wants to hear of what comes of this entry; no more when `forget` is called. */
  readonly watch: (position: Position, run: Run) => void;
  readonly forget: (position: Position, run: Run) => void;
}

/** An entry that some routes have not done with. */
interface OpenEntry {
  readonly entry: Entry;
  readonly routes: Set<string>;
  /** Whether it, or one that it comes from, is the reply of somebody. */
  readonly isReply: boolean;
}

/** An entry of the run that is to be looked at. */
type Step = readonly [entry: Entry, isReply: boolean];

const RESULTS = resultsTopic('');
const GATHERED = repliesTopic('');
const ENTRIES_A_TURN = 50;

/**
 * One run: an entry and everything that follows from it by cause, until its final reply. That is the first event of it
 * that is the outcome of the flow which the entry is in, or that no route takes. What a dead letter leads to belongs to
 * whoever looks after dead letters, and is no reply.
 */
export class Run {
  readonly #root: Entry;
  readonly #options: RunOptions;
  readonly #open = new Map<Position, OpenEntry>();
  readonly #brought: BroughtEntries;
  /** Entries that the history told of; the log may tell of them too. */
  readonly #read = new Set<Position>();
  #failure: string | undefined;
  #reply: Entry | undefined;
  #isCatchingUp = true;
  #end: RunEnd = { outcome: 'open' };
  #ended: (() => void) | undefined;

  constructor(root: Entry, options: RunOptions) {
    this.#root = root;
    this.#options = options;
    this.#brought = new BroughtEntries({
      watch: (position) => options.watch(position, this),
      forget: (position) => options.forget(position, this),
    });
  }

  /** Reads what has happened, and hears from now on of what happens. Resolves when that is done, or the signal aborts. */
  async catchUp(signal: AbortSignal): Promise<void> {
    const steps: Step[] = [[this.#root, false]];
    for (let next = 0; next < steps.length; next += 1) {
      if (next % ENTRIES_A_TURN === ENTRIES_A_TURN - 1) await nextTurn();
      if (signal.aborted) return;
      const [entry, isReply] = steps[next]!;
      // What follows from an entry comes after it: none of that could be an earlier reply.
      if (this.#reply !== undefined && entry.position > this.#reply.position) continue;
      steps.push(...this.#take(entry, isReply, pastOf(entry.position, this.#options.history)));
    }
    this.#isCatchingUp = false;
    this.#look();
  }

  /** Resolves when it has ended, or the signal aborts. */
  async end(signal: AbortSignal): Promise<RunEnd> {
    if (this.#end.outcome === 'open' && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#ended = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return this.#end;
  }

  /** Is told of what came of one of its entries. */
  entered(entry: Entry, cause: Cause): void {
    if (this.#read.has(entry.position) || this.#brought.keep({ entered: entry, cause })) return;
    const from = this.#open.get(cause.position);
    if (from === undefined) return;
    if (from.routes.has(cause.route)) this.#brought.add(entry, cause);
    // An item of a Map comes while the delivery that makes it goes on.
    else this.#take(entry, this.#isReply(entry, from), NO_PAST);
  }

  /** Is told what became of an attempt for one of its entries, after what that brought. */
  settled(settlement: Settlement): void {
    const { position, route, outcome } = settlement;
    if (outcome === 'retrying' || this.#brought.keep({ settled: settlement })) return;
    const from = this.#open.get(position);
    if (from === undefined || !from.routes.delete(route)) return;
    if (from.routes.size === 0) this.#close(position);
    const brought = this.#brought.release(settlement);
    if (isFailure(outcome)) {
      this.#failure ??= reasonOf(route, this.#options.history.attempts(position));
    } else if (brought !== undefined) {
      this.#take(brought.entry, this.#isReply(brought.entry, from), NO_PAST);
      for (const told of brought.told) {
        if ('settled' in told) this.settled(told.settled);
        else this.entered(told.entered, told.cause);
      }
    }
    this.#look();
  }

  /** Wants to hear of nothing any more. */
  close(): void {
    for (const position of [...this.#open.keys(), ...this.#brought.positions]) this.#close(position);
  }

  #close(position: Position): void {
    this.#open.delete(position);
    this.#options.forget(position, this);
  }

  /** Follows an entry. Returns what has come of it before. */
  #take(entry: Entry, isReply: boolean, { outcomes, retrying, failure, replies }: Past): Step[] {
    const { position } = entry;
    const routes = new Set(retrying);
    for (const route of this.#options.routes.of(entry)) if (!outcomes.has(route)) routes.add(route);
    this.#failure ??= failure;
    const isTaken = routes.size > 0 || outcomes.size > 0;
    if (this.#isFinal(entry, isReply, isTaken)) this.#propose(entry);
    if (routes.size > 0) {
      this.#open.set(position, { entry, routes, isReply });
      this.#options.watch(position, this);
    }
    const steps: Step[] = [];
    for (const reply of replies) {
      const cause = reply.cause!;
      const outcome = outcomes.get(cause.route);
      this.#read.add(reply.position);
      if (routes.has(cause.route)) this.#brought.add(reply, cause);
      else if (outcome === undefined || outcome === 'delivered') {
        steps.push([reply, this.#isReply(reply, { entry, isReply })]);
      }
    }
    return steps;
  }

  /** An event that was only handed on is not a reply to itself. */
  #isReply({ event, cause, topic }: Entry, from: Pick<OpenEntry, 'entry' | 'isReply'>): boolean {
    if (from.isReply) return true;
    const { id, source, type } = from.entry.event;
    const isSame = () => event.id === id && event.source === source && event.type === type;
    return !(this.#options.routes.forwards(cause!.route, topic) ?? isSame());
  }

  #isFinal({ topic, position }: Entry, isReply: boolean, isTaken: boolean): boolean {
    if (position === this.#root.position) return false;
    if (topic.startsWith(RESULTS)) {
      const flow = topic.slice(RESULTS.length);
      if (this.#root.topic === flow || this.#root.topic.startsWith(`${flow}/`)) return true;
    }
    // Whatever waits for the parts of a flow takes what they answer, although it is no route of that topic.
    return isReply && !isTaken && !topic.startsWith(GATHERED);
  }

  #propose(entry: Entry): void {
    if (this.#reply === undefined || entry.position < this.#reply.position) this.#reply = entry;
    this.#look();
  }

  #look(): void {
    if (this.#isCatchingUp || this.#end.outcome !== 'open') return;
    if (this.#reply !== undefined) this.#end = { outcome: 'replied', entry: this.#reply };
    else if (this.#open.size > 0) return;
    else this.#end = this.#failure === undefined ? { outcome: 'silent' } : { outcome: 'failed', reason: this.#failure };
    this.#ended?.();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
