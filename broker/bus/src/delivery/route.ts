import type { Environment } from '../environment.ts';
import type { Filter } from '../filter/filter.ts';
import type { Gate } from '../log/gate.ts';
import type { Entry, Log, Position } from '../log/log.ts';
import type { Progress, RouteProgress, SavedPosition, Settlement } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';
import { facts } from '../log/facts.ts';
import type { Attempted } from '../log/facts.ts';
import { nextSpan } from '../log/trace-context.ts';
import { withoutData } from '../log/without-data.ts';
import { attempt, cancelled } from './attempt.ts';
import type { Made, Targets, Work } from './attempt.ts';
import { entryFilter } from './decisions.ts';
import type { Earlier } from './decisions.ts';
import { CallingOff } from './calling-off.ts';
import { GivenBack } from './cancellation.ts';
import type { Cancellation } from './cancellation.ts';
import { DueTimer } from './due-timer.ts';
import type { Prewarm } from './prewarm.ts';
import { openOrderedQueue, openUnorderedQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import { Settler } from './settler.ts';

export interface RunningRouteOptions {
  readonly route: Route;
  readonly targets: Targets;
  readonly filter: Filter;
  /** What it wanted before that, of what came by then. */
  readonly earlier: readonly Earlier[];
  readonly log: Log;
  readonly gate: Gate;
  readonly progress: Progress;
  readonly environment: Environment;
  /** Where the route stood. */
  readonly from: RouteProgress;
  /** It takes nothing that comes after this. Default: it takes all. */
  readonly until?: Position | undefined;
  /** How far the reader of the topic has come: what a route that follows has seen. */
  readonly topicPosition: () => Position;
  /** Gets the functions ready that come after this route. */
  readonly prewarm?: Prewarm | undefined;
  /** Is told what became of each attempt, when that is durable. */
  readonly settled?: ((settlement: Settlement) => void) | undefined;
}

/** So many outcomes may wait to be written before the route pauses: a full disk must not fill the memory. */
const MOST_UNSETTLED = 5_000;
const READ_AGAIN_AFTER_MS = 1_000;
/** How many due deliveries of an ordered route, held back by others of their key, are looked past. */
const LOOK_PAST_HELD = 1_000;

/**
 * One route at work. While it keeps up it *follows*: the reader of its topic offers it every entry that its filter lets
 * pass. When its hands are full it falls *behind*: it takes no more offers and later reads on by itself, from where it
 * stopped, until it has caught up. So a slow route holds nobody up, and no backlog stands in memory.
 */
export class RunningRoute {
  readonly #options: RunningRouteOptions;
  readonly #queue: Queue;
  /** Taken and not finished, in the order of the log. */
  readonly #unfinished = new Set<Position>();
  /** Finished before the last start although others before them were not. */
  readonly #finishedBefore: Set<Position>;
  /** Waiting deliveries that are being attempted now. */
  readonly #taken = new Set<Position>();
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Of calls and of steps; other deliveries cannot be called off. */
  readonly #callingOff = new CallingOff();
  readonly #stop = new AbortController();
  readonly #settler: Settler;
  readonly #due: DueTimer;
  /** Meaningful while behind: everything up to here has been taken or passed by. */
  #readUpTo: Position;
  #isBehind = true;
  /** Up to here it wants what it wanted before; whoever offers entries knows only what it wants now. */
  readonly #decidedBefore: Position;
  #isReading = false;
  #lastSaved: Position | undefined;
  #until: Position;
  /** While the function has no room: ends waiting for it. */
  #stopAwaitingRoom: (() => void) | undefined;

  constructor(options: RunningRouteOptions) {
    this.#options = options;
    this.wants = entryFilter(options.filter, options.earlier);
    this.#decidedBefore = options.earlier.at(-1)?.until ?? 0;
    this.#queue = options.route.delivery.ordered ? openOrderedQueue() : openUnorderedQueue();
    this.#finishedBefore = new Set(options.from.finished);
    this.#readUpTo = options.from.position;
    this.#until = options.until ?? Infinity;
    this.#settler = new Settler(options);
    this.#due = new DueTimer(options.environment, () => this.#pump());
  }

  get route(): Route {
    return this.#options.route;
  }

  /** Whether it takes an entry: its filter lets the event pass, or the one that it had when that came. */
  readonly wants: (entry: Entry) => boolean;

  /** Whether there is nothing that it has still to do: not in its topic, under way, or waiting for another attempt. */
  get isIdle(): boolean {
    const { log, progress, route } = this.#options;
    const end = Math.min(log.end(route.topic), this.#until);
    const isThrough = this.passed() >= end && this.#held === 0 && this.#settler.size === 0;
    return isThrough && progress.waiting(route.name, 1).length === 0;
  }

  /** The oldest entry that it has taken and not finished, or has still to look at; undefined when there is none. */
  get oldestOpen(): Position | undefined {
    const { progress } = this.#options;
    const waiting = progress.waiting(this.route.name, Number.MAX_SAFE_INTEGER).map((it) => it.position);
    const open = [...this.#unfinished, ...waiting];
    if (this.passed() < this.#options.log.end(this.route.topic)) open.push(this.passed() + 1);
    return open.length === 0 ? undefined : open.reduce((least, it) => Math.min(least, it));
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Begins: with what waits from before, then with what it has missed. */
  start(): void {
    const { log, progress, route } = this.#options;
    if (route.delivery.ordered) {
      const positions = progress.waiting(route.name, Number.MAX_SAFE_INTEGER).map((it) => it.position);
      for (const position of positions.toSorted((a, b) => a - b)) {
        const entry = log.get(position);
        if (entry !== undefined) this.#queue.block(entry);
      }
    }
    this.wake();
  }

  /** Offers an entry that the filter lets pass. Only a route that follows takes it. */
  offer(entry: Entry): void {
    if (this.#isBehind || this.#stop.signal.aborted || entry.position <= this.#readUpTo) return;
    if (this.#held >= 2 * this.#options.route.delivery.concurrency || entry.position > this.#until) {
      this.#isBehind = true;
      this.#readUpTo = entry.position - 1;
      return;
    }
    this.#accept(entry);
    this.#pump();
  }

  /** Takes nothing that comes after this position; `Infinity`: takes all again. What it has taken it finishes. */
  endAt(until: Position): void {
    this.#until = until;
    this.#pump();
  }

  /** Looks for waiting deliveries that have become due: after a start and after a redrive. */
  wake(): void {
    this.#due.setDue();
    this.#pump();
  }

  /** The number of the attempt of a call that is under way; undefined when none is. */
  underWay(position: Position): number | undefined {
    return this.#callingOff.attemptOf(position);
  }

  /**
   * Calls a call off: not begun, under way, or waiting for another attempt. Resolves when that is durable: true when it
   * is cancelled, false when it was over already.
   */
  cancel(entry: Entry): Promise<boolean> {
    return this.#callingOff.cancel(entry, () => this.#cancelIdle(entry));
  }

  /** What is to be saved of its position, or undefined when that has not changed. */
  unsavedPosition(): SavedPosition | undefined {
    const position = this.passed();
    if (position === this.#lastSaved) return undefined;
    this.#lastSaved = position;
    return { route: this.route.name, position };
  }

  /** The position was not saved after all: it counts as unsaved again. */
  forgetSaved(): void {
    this.#lastSaved = undefined;
  }

  /** Where it stood when it began: what came up to here and was not tried by then is not for it. */
  get from(): Position {
    return this.#options.from.position;
  }

  /** Everything up to here is finished or remembered as waiting or dead. */
  passed(): Position {
    const [first] = this.#unfinished;
    if (first !== undefined) return first - 1;
    return this.#isBehind ? this.#readUpTo : this.#options.topicPosition();
  }

  /** Begins nothing more, and waits for nothing. It stands from now on where it stood; the topic moves on without it. */
  halt(): void {
    if (!this.#isBehind) {
      this.#isBehind = true;
      this.#readUpTo = this.#options.topicPosition();
    }
    this.#stop.abort();
    this.#due.stop();
    this.#stopAwaitingRoom?.();
  }

  /**
   * Begins nothing more; resolves when what is under way is over and written. What only waits for others (a join, a map)
   * is given back: it begins anew when the route does.
   */
  async drain(): Promise<void> {
    this.halt();
    if (this.#isGathering) this.#callingOff.giveBack();
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    await this.#settler.drain();
  }

  get #held(): number {
    return this.#inFlight.size + this.#queue.size;
  }

  /** Calls off what no attempt is under way for; false when it is over. */
  async #cancelIdle(entry: Entry): Promise<boolean> {
    const { position } = entry;
    const waiting = this.#options.progress.waitingAt(this.route.name, position);
    if (waiting === undefined && this.#isOver(position)) return false;
    // From here on nobody begins it.
    if (waiting === undefined) this.#callingOff.passOver(position);
    else this.#taken.add(position);
    const next = waiting ?? { attempt: 1, stage: 'subscriber', tries: 0, failure: undefined };
    const { headers } = entry;
    const made = await cancelled({ ...next, entry, headers, waited: waiting !== undefined }, this.#options);
    this.#tell(entry, made, undefined);
    await this.#settler.settle(made);
    this.#taken.delete(position);
    this.#unfinished.delete(position);
    if (waiting !== undefined) {
      this.#queue.release(entry);
      this.#pump();
    }
    return true;
  }

  /** Whether it was taken and is finished; what waits for another attempt aside. */
  #isOver(position: Position): boolean {
    if (this.#finishedBefore.has(position)) return true;
    const seen = this.#isBehind ? this.#readUpTo : this.#options.topicPosition();
    return position <= seen && !this.#unfinished.has(position);
  }

  /** Whether it waits for what comes of other deliveries. */
  get #isGathering(): boolean {
    const { kind } = this.route.target;
    return kind === 'join' || kind === 'map';
  }

  /** An entry as it is held until it is finished: many joins and maps are open for long, and read data when they want them. */
  #toHold(entry: Entry): Entry {
    return this.#isGathering ? withoutData(entry) : entry;
  }

  #accept(entry: Entry): void {
    if (this.#callingOff.isPassedOver(entry.position)) {
      // Until it is written that it was called off, it is not behind us.
      if (this.#callingOff.isCancelling(entry.position)) this.#unfinished.add(entry.position);
      return;
    }
    this.#unfinished.add(entry.position);
    this.#queue.push(this.#toHold(entry));
    this.#options.prewarm?.took(entry, this.route);
  }

  #pump(): void {
    const { concurrency } = this.#options.route.delivery;
    const isFree = () =>
      this.#inFlight.size < concurrency &&
      this.#settler.size < MOST_UNSETTLED &&
      !this.#stop.signal.aborted &&
      this.#hasRoom();
    if (isFree()) this.#tryDue();
    while (isFree()) {
      const entry = this.#queue.take();
      if (entry === undefined) break;
      if (this.#callingOff.isPassedOver(entry.position)) {
        this.#queue.release(entry);
        continue;
      }
      this.#begin({ entry, attempt: 1, stage: 'subscriber', tries: 0, failure: undefined, waited: false });
    }
    const isMissing = this.#isBehind && this.#readUpTo < this.#until;
    if (isMissing && !this.#isReading && this.#held < concurrency && isFree()) this.#catchUp();
  }

  /**
   * Whether the function that is called would take one more; what it would not stays in the log. When it would not, this
   * route goes on when a call has ended.
   */
  #hasRoom(): boolean {
    const { subscriber } = this.#options.targets;
    const callee = 'callee' in subscriber ? subscriber.callee?.() : undefined;
    if (callee === undefined || callee.room() > 0) return true;
    this.#stopAwaitingRoom ??= callee.onRoom(() => {
      if (callee.room() <= 0) return;
      this.#stopAwaitingRoom?.();
      this.#stopAwaitingRoom = undefined;
      this.#pump();
    });
    return false;
  }

  #catchUp(): void {
    this.#isReading = true;
    this.#readOn()
      .finally(() => (this.#isReading = false))
      .then(() => this.#pump())
      // The log could not be read: what is missed stays missed for the moment, and nothing else suffers.
      .catch(() => this.#options.environment.after(READ_AGAIN_AFTER_MS, () => this.#pump()));
  }

  /** Reads on alone until nothing is missed, or the hands are full. */
  async #readOn(): Promise<void> {
    const { log, route, topicPosition } = this.#options;
    const { concurrency } = route.delivery;
    const own = () => Math.max(topicPosition(), this.#decidedBefore);
    while (this.#held < 2 * concurrency && this.#readUpTo < this.#until && !this.#stop.signal.aborted) {
      if (this.#readUpTo >= own()) {
        this.#isBehind = false;
        break;
      }
      const entries = await log.read(route.topic, this.#readUpTo, concurrency, this.#stop.signal);
      if (this.#stop.signal.aborted) break;
      for (const entry of entries) {
        if (entry.position > own()) {
          // There is nothing left before it (retention may have taken it): the reader will offer this one.
          this.#readUpTo = own();
          break;
        }
        this.#readUpTo = entry.position;
        if (entry.position > this.#until) {
          this.#readUpTo -= 1;
          break;
        }
        if (!this.#finishedBefore.delete(entry.position) && this.wants(entry)) this.#accept(entry);
      }
    }
  }

  #tryDue(): void {
    try {
      this.#beginDue();
    } catch {
      // The store could not be read: they wait a little longer.
      this.#due.expect(this.#options.environment.now() + READ_AGAIN_AFTER_MS);
    }
  }

  /** Begins deliveries whose wait is over, as many as there are hands, and sets the timer for the next. */
  #beginDue(): void {
    const { environment, log, progress, route } = this.#options;
    const now = environment.now();
    if (!this.#due.isDue) return;
    const free = route.delivery.concurrency - this.#inFlight.size;
    const held = route.delivery.ordered ? LOOK_PAST_HELD : 0;
    const waiting = progress
      .waiting(route.name, free + this.#taken.size + 1 + held)
      .filter((it) => !this.#taken.has(it.position));
    this.#due.reset();
    let isHeldBack = false;
    for (const { position, dueAt, ...rest } of waiting) {
      if (dueAt > now || this.#inFlight.size >= route.delivery.concurrency || !this.#hasRoom()) {
        this.#due.expect(dueAt);
        break;
      }
      const entry = log.get(position);
      if (entry === undefined) continue;
      if (!this.#queue.claim(entry)) {
        isHeldBack = true;
        continue;
      }
      this.#taken.add(position);
      const isForSubscriber = rest.stage === 'subscriber';
      this.#begin({ ...rest, entry: isForSubscriber ? this.#toHold(entry) : entry, waited: true });
    }
    // Whose key is busy comes when something is finished, and that looks here again.
    if (isHeldBack) this.#due.setDue();
  }

  #begin(work: Omit<Work, 'headers'>): void {
    const running = this.#started(work)
      .catch((error: unknown) => {
        if (!(error instanceof GivenBack)) throw error;
      })
      .finally(() => {
        this.#inFlight.delete(running);
        this.#pump();
      });
    this.#inFlight.add(running);
  }

  #started(work: Omit<Work, 'headers'>): Promise<unknown> {
    if (this.route.target.kind !== 'call' && this.route.step === undefined) return this.#run(work);
    const make = (cancellation: Cancellation) => this.#run({ ...work, cancellation });
    return this.#callingOff.begin(work.entry.position, work.attempt, make);
  }

  async #run(begun: Omit<Work, 'headers'>): Promise<Settlement> {
    const { entry } = begun;
    const { environment, prewarm } = this.#options;
    const headers = nextSpan(entry.headers, () => environment.random());
    const settled = attempt({ ...begun, headers }, this.#options);
    // After the call itself, which is what matters first.
    if (begun.stage === 'subscriber') prewarm?.began(this.route);
    const made = await settled;
    const { settlement } = made;
    this.#tell(entry, made, headers?.['traceparent']);
    // It may be among the waiting before this goes on: nobody else is to take it up until then.
    if (settlement.outcome !== 'delivered') this.#taken.add(entry.position);
    const written = this.#settler.settle(made);
    // A delivery that succeeded need not wait for its record: a crash before that repeats it, no more. Whatever must be
    // remembered stays unfinished until it is, and what waited in the store stays taken until it has left it.
    if (begun.waited || settlement.outcome !== 'delivered') {
      await written;
      this.#taken.delete(entry.position);
    }
    this.#unfinished.delete(entry.position);
    if (settlement.next === undefined) this.#queue.release(entry);
    else this.#due.expect(settlement.next.dueAt);
    return settlement;
  }

  #tell(entry: Entry, { settlement, isWritten: hasReplied }: Made, traceparent: string | undefined): void {
    if (!facts.attempted.hasSubscribers) return;
    const flow = this.route.step?.flow;
    facts.attempted.publish({ entry, settlement, traceparent, flow, hasReplied } satisfies Attempted);
  }
}
