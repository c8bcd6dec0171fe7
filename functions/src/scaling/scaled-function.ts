import type { Handler } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';
import type { Scaling } from '@millrace/resources/scaling';

import { MOST_INSTANCES } from '../autoscaler/autoscaler.ts';
import type { Clock } from '../clock.ts';
import type { FunctionLog } from '../function-log.ts';
import { NotTaken } from '../runtime/runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Workload } from '../workload.ts';
import type { Member, Slot } from './member.ts';
import { Members } from './members.ts';
import type { InstanceDescription } from './members.ts';
import { ScalingLoop } from './scaling-loop.ts';
import { makeWaitingTurns } from './waiting-turns.ts';

/** How many calls may wait; Knative's activator holds as many (knative.md §9.7). */
const MAX_WAITING = 10_000;
/** When a call that finds no room may come again. */
const RETRY_AFTER_MS = 1_000;

/** How the instances of one revision are. */
export interface ScaledStatus {
  /** Instances that are there, also those that begin or end. */
  readonly instances: number;
  /** Each of them, the oldest first. */
  readonly members: readonly InstanceDescription[];
  /** Those that take calls. */
  readonly ready: number;
  /** Calls that an instance has. */
  readonly inFlight: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** `idle`: at zero, waiting for a call. `failing`: it crashed or could not start, and nothing serves now. */
  readonly state: 'idle' | 'starting' | 'running' | 'failing';
  /** Why it is failing, with the last lines that it wrote; empty otherwise. */
  readonly message: string;
  /** What cannot be kept of what is declared, such as a limit of memory. */
  readonly notes: readonly string[];
  /** How many instances there are to be, and the rule behind it, as the autoscaler saw it last. */
  readonly wanted: { readonly instances: number; readonly reason: string } | undefined;
}

/** What a call is given. */
interface Given {
  readonly member: Member;
  readonly signal: AbortSignal;
  /** Whether no instance was ready when it came. */
  readonly isCold: boolean;
}

export interface ScaledFunctionOptions {
  readonly workload: Workload;
  readonly runtime: Runtime;
  readonly log: (line: FunctionLog) => void;
  readonly clock: Clock;
}

/**
 * The instances of one revision: how many there are, and which one gets a call.
 *
 *   call ─▶ waiting ─▶ the ready instance that has least to do ─▶ answer
 *              └─ none has room: begin one more, up to maxScale
 *
 * What waits is begun for at once. How many are of use beyond that, and when there are too many, the autoscaler says
 * every two seconds.
 */
export class ScaledFunction {
  readonly #workload: Workload;
  readonly #clock: Clock;
  readonly #callsEach: number;
  readonly #members: Members;
  readonly #waiting = makeWaitingTurns(() => this.#settled());
  readonly #roomListeners = new Set<() => void>();
  #cancelLater = (): void => {};
  #scaling: Scaling;
  #loop: ScalingLoop;
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #drained: Promise<void> | undefined;
  #quiet: (() => void) | undefined;

  constructor({ workload, runtime, log, clock }: ScaledFunctionOptions) {
    this.#workload = workload;
    this.#clock = clock;
    this.#callsEach = workload.concurrency || Infinity;
    this.#scaling = workload.scaling;
    this.#members = new Members({
      workload,
      runtime,
      log,
      clock,
      changed: () => this.#scale(),
      startFailed: () => this.#startFailed(),
    });
    this.#loop = this.#startLoop();
    this.#resize(Math.max(this.#scaling.minScale, this.#scaling.initialScale));
  }

  /** Event in, answer out; begins an instance when it needs one. Rejects with a `HandlerFailure` only. */
  readonly handler: Handler = (event, context) =>
    this.#withSlot(context.signal, async ({ member, signal }) => {
      const { attempt } = context;
      const headers = { ...context.headers, ...this.#deadline() };
      return member.handler(event, { signal, attempt, headers });
    });

  /** One exchange with an instance, which lasts until the answer's body has ended. Rejects as the handler does. */
  request(call: WebCall, eventId?: string): Promise<WebAnswer> {
    const rawHeaders = [...call.rawHeaders, ...Object.entries(this.#deadline()).flat()];
    return this.#withSlot(
      call.signal,
      async ({ member, signal, isCold }) => {
        const answer = await member.instance.call({ ...call, rawHeaders, signal }, eventId);
        return { ...answer, rawHeaders: [...answer.rawHeaders, ...this.#whoAnswered(member, isCold)] };
      },
      (answer, slot) => {
        answer.body.once('close', () => slot.end());
      },
    );
  }

  /** How many more calls would be taken now or as soon as more instances are there; Infinity without a limit. */
  room(): number {
    return this.#callsEach === Infinity ? Infinity : this.#most() * this.#callsEach - this.#calls();
  }

  /** Calls after a call has ended. The returned function ends that. */
  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  /** Begins an instance if there is none: a call is about to come. */
  warm(): void {
    if (this.#phase === 'open' && this.#members.serving === 0 && this.#members.waitMs === 0) this.#begin();
  }

  /** Sets other bounds than the template's, for as long as this revision runs. */
  setBounds(bounds: { readonly minScale?: number | undefined; readonly maxScale?: number | undefined }): void {
    const { minScale = this.#scaling.minScale, maxScale = this.#scaling.maxScale } = bounds;
    this.#scaling = { ...this.#scaling, minScale, maxScale };
    this.#loop.stop();
    this.#loop = this.#startLoop();
    this.#resize(Math.max(this.#members.serving, minScale));
    this.#runLoop();
  }

  status(): ScaledStatus {
    const { size: instances, list: members, inFlight, notes, fault } = this.#members;
    const { last } = this.#loop;
    const wanted = instances === 0 ? undefined : last && { instances: last.desired, reason: last.reason };
    const ready = this.#members.count('ready');
    const counts = { instances, members, ready, inFlight, waiting: this.#waiting.size, notes, wanted };
    if (ready > 0) return { ...counts, state: 'running', message: '' };
    if (fault !== undefined) return { ...counts, state: 'failing', message: fault };
    return { ...counts, state: this.#members.count('starting') > 0 ? 'starting' : 'idle', message: '' };
  }

  /** Takes nothing more, finishes what it has, then ends its instances. Idempotent. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything now; the calls that it has are rejected. Resolves when no instance is left. Idempotent. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    this.#loop.stop();
    this.#cancelLater();
    const failure = this.#unavailable('is being closed');
    this.#waiting.rejectAll(failure);
    this.#members.abandon(failure);
    await this.#members.endAll('kill');
    this.#settled();
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'draining';
    if (this.#calls() > 0) await new Promise<void>((resolve) => (this.#quiet = resolve));
    this.#loop.stop();
    this.#cancelLater();
    await this.#members.endAll('stop');
  }

  /** Those that wait and those that an instance has. */
  #calls(): number {
    return this.#waiting.size + this.#members.inFlight;
  }

  /** Called after every call that has ended, one way or another. */
  #settled(): void {
    const calls = this.#calls();
    this.#loop.changed(calls);
    if (calls === 0) this.#quiet?.();
    for (const listener of this.#roomListeners) listener();
  }

  // ------------------------------------------------------------ instances

  /** Gives out what can be given out, and begins instances for what cannot. Called after every change. */
  #scale(): void {
    while (this.#waiting.size > 0) {
      const member = this.#members.withRoom(this.#callsEach);
      if (member === undefined) break;
      const turn = this.#waiting.next()!;
      turn.resolve(member.enter(turn.signal, this.#workload.timeoutMs, this.#clock, (slot) => this.#ended(slot)));
    }
    while (this.#wantsMore() && this.#members.size < this.#most()) {
      const wait = this.#members.waitMs;
      if (wait > 0) return this.#scaleLater(wait);
      if (!this.#begin()) return;
    }
  }

  #scaleLater(wait: number): void {
    this.#cancelLater();
    this.#cancelLater = this.#clock.after(wait, () => this.#scale());
  }

  #wantsMore(): boolean {
    if (this.#phase === 'closed') return false;
    const starting = this.#members.count('starting');
    if (this.#waiting.size > 0 && (starting === 0 || this.#waiting.size > starting * this.#callsEach)) return true;
    return this.#phase === 'open' && this.#members.serving < this.#scaling.minScale;
  }

  #begin(): boolean {
    this.#runLoop();
    return this.#members.begin();
  }

  #most(): number {
    return Math.max(this.#scaling.maxScale || MOST_INSTANCES, this.#scaling.minScale, 1);
  }

  /** Makes it so many instances; never fewer than the calls of this moment need. */
  #resize(desired: number): void {
    if (this.#phase !== 'open') return;
    const calls = this.#calls();
    const needed = this.#callsEach === Infinity ? Math.min(calls, 1) : Math.ceil(calls / this.#callsEach);
    this.#members.resize(Math.min(Math.max(desired, needed), this.#most()));
    if (this.#members.size > 0) this.#runLoop();
  }

  #startLoop(): ScalingLoop {
    return new ScalingLoop({
      scaling: this.#scaling,
      containerConcurrency: this.#workload.concurrency,
      clock: this.#clock,
      ready: () => this.#members.count('ready'),
      isNeeded: () => this.#phase === 'open' && (this.#members.size > 0 || this.#waiting.size > 0),
      decided: ({ desired }) => this.#resize(desired),
    });
  }

  #runLoop(): void {
    if (this.#phase === 'open') this.#loop.run();
  }

  #startFailed(): void {
    const failure = this.#members.cannotStart;
    if (failure !== undefined) this.#waiting.rejectAll(failure);
    this.#settled();
    this.#scale();
  }

  // ------------------------------------------------------------ calls

  /** For the caller of a synchronous call. */
  #whoAnswered({ instance }: Member, isCold: boolean): string[] {
    const { revision } = this.#workload;
    const start = isCold ? 'cold' : 'warm';
    return ['millrace-revision', revision, 'millrace-instance', instance.id, 'millrace-start', start];
  }

  #deadline(): Record<string, string> {
    return { 'x-millrace-deadline': String(this.#clock.now() + this.#workload.timeoutMs) };
  }

  #refusal(signal: AbortSignal): HandlerFailure | undefined {
    if (this.#phase !== 'open') return this.#unavailable('takes no more calls: it is being stopped');
    if (signal.aborted) return new HandlerFailure(`${this.#workload.name}: given up before it was called`);
    if (this.#waiting.size >= MAX_WAITING) {
      return this.#unavailable(`has ${MAX_WAITING} calls waiting already: raise maxScale or concurrency`);
    }
    return this.#members.waitMs > 0 ? this.#members.cannotStart : undefined;
  }

  #unavailable(why: string): HandlerFailure {
    return new HandlerFailure(`${this.#workload.name} ${why}`, { status: 503, retryAfterMs: RETRY_AFTER_MS });
  }

  /**
   * Gives a call a slot at an instance; what did not reach the code gets another one, before those that came after it.
   * `hold` says when the call is over, if not with `use`.
   */
  async #withSlot<T>(
    signal: AbortSignal,
    use: (given: Given) => Promise<T>,
    hold: (value: T, slot: Slot) => void = (_value, slot) => slot.end(),
  ): Promise<T> {
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) throw refusal;
    const isCold = this.#members.count('ready') === 0;
    if (this.#members.size === 0) this.#loop.poke();
    this.#runLoop();
    for (let at: 'end' | 'front' = 'end'; ; at = 'front') {
      const turn = this.#waiting.wait(signal, at);
      this.#loop.changed(this.#calls());
      this.#scale();
      const slot = await turn;
      try {
        const value = await use({ member: slot.member, signal: slot.signal, isCold });
        this.#members.succeeded();
        hold(value, slot);
        return value;
      } catch (error) {
        const mayGoElsewhere = error instanceof NotTaken && this.#phase !== 'closed' && !signal.aborted;
        if (mayGoElsewhere) this.#members.refused(slot.member);
        slot.end();
        if (!mayGoElsewhere) throw this.#failureOf(error);
      }
    }
  }

  #ended({ member, wasAbandoned }: Slot): void {
    // Where the author sets no limit, nothing is exceeded by what a caller left behind.
    const isInTheWay = wasAbandoned === 'caller left' && this.#callsEach !== Infinity;
    this.#members.callEnded(member, wasAbandoned === 'timed out' || isInTheWay);
    this.#scale();
    this.#settled();
  }

  #failureOf(error: unknown): HandlerFailure {
    const failure =
      error instanceof HandlerFailure
        ? error
        : new HandlerFailure(`${this.#workload.name}: ${String(error)}`, { cause: error });
    // It answered, if only to refuse: the instance is well.
    if (failure.status !== undefined) this.#members.succeeded();
    return failure;
  }
}
