import type { Handler } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { Clock } from '../clock.ts';
import type { FunctionLog } from '../function-log.ts';
import { eventHandler } from '../runtime/event-call.ts';
import { maskOf } from '../runtime/process/log-lines.ts';
import { NotTaken } from '../runtime/runtime.ts';
import type { Instance, Runtime } from '../runtime/runtime.ts';
import type { Workload } from '../workload.ts';
import { makeBackoff } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import { Member } from './member.ts';
import type { Slot } from './member.ts';
import { makeWaitingTurns } from './waiting-turns.ts';

/** How many instances where the author sets no bound. */
const MAX_INSTANCES = 10;
/** How many calls may wait; Knative's activator holds as many (knative.md §9.7). */
const MAX_WAITING = 10_000;
/** When a call that finds no room may come again. */
const RETRY_AFTER_MS = 1_000;

/** How the instances of one revision are. */
export interface ScaledStatus {
  /** Instances that are there, also those that begin or end. */
  readonly instances: number;
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
 * Beginning is decided at once when a call waits; how many more or fewer are of use, the autoscaler says every two
 * seconds (autoscaler/).
 */
export class ScaledFunction {
  readonly #workload: Workload;
  readonly #runtime: Runtime;
  readonly #log: (line: FunctionLog) => void;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #mask: (text: string) => string;
  readonly #callsEach: number;
  readonly #mostInstances: number;
  readonly #members = new Set<Member>();
  readonly #waiting = makeWaitingTurns(() => this.#settled());
  readonly #roomListeners = new Set<() => void>();
  /** Why the last instance could not start; until one can, calls need not wait to hear it. */
  #startFault: string | undefined;
  #lastFault = '';
  #cancelLater = (): void => {};
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #drained: Promise<void> | undefined;
  #quiet: (() => void) | undefined;

  constructor({ workload, runtime, log, clock }: ScaledFunctionOptions) {
    this.#workload = workload;
    this.#runtime = runtime;
    this.#log = log;
    this.#clock = clock;
    this.#mask = maskOf(workload.secretValues);
    this.#backoff = makeBackoff(() => clock.now());
    this.#callsEach = workload.concurrency || Infinity;
    this.#mostInstances = Math.max(workload.scaling.maxScale || MAX_INSTANCES, workload.scaling.minScale, 1);
    this.#scale();
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
      ({ member, signal }) => member.instance.call({ ...call, rawHeaders, signal }, eventId),
      (answer, slot) => {
        answer.body.once('close', () => slot.end());
      },
    );
  }

  /** How many more calls would be taken now or as soon as more instances are there; Infinity without a limit. */
  room(): number {
    if (this.#callsEach === Infinity) return Infinity;
    return this.#mostInstances * this.#callsEach - this.#inFlight() - this.#waiting.size;
  }

  /** Calls after a call has ended. The returned function ends that. */
  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  /** Begins an instance if there is none: a call is about to come. */
  warm(): void {
    if (this.#phase === 'open' && !this.#mayServe() && this.#backoff.waitMs() === 0) this.#begin();
  }

  status(): ScaledStatus {
    const notes = [...new Set([...this.#members].flatMap(({ instance }) => instance.notes))];
    const counts = { instances: this.#members.size, inFlight: this.#inFlight(), waiting: this.#waiting.size, notes };
    if (this.#count('ready') > 0) return { ...counts, state: 'running', message: '' };
    if (this.#backoff.failures > 0) return { ...counts, state: 'failing', message: this.#lastFault };
    return { ...counts, state: this.#count('starting') > 0 ? 'starting' : 'idle', message: '' };
  }

  /** Takes nothing more, finishes what it has, then ends its instances. Idempotent. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything now; the calls that it has are rejected. Resolves when no instance is left. Idempotent. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    this.#cancelLater();
    const failure = this.#unavailable('is being closed');
    this.#waiting.rejectAll(failure);
    for (const member of this.#members) member.abandon(failure);
    await this.#endAll((instance) => instance.kill());
    this.#settled();
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'draining';
    if (this.#isBusy()) await new Promise<void>((resolve) => (this.#quiet = resolve));
    this.#cancelLater();
    await this.#endAll((instance) => instance.stop());
  }

  async #endAll(end: (instance: Instance) => Promise<void>): Promise<void> {
    const members = [...this.#members];
    for (const member of members) member.phase = 'leaving';
    await Promise.all(members.map((member) => end(member.instance)));
  }

  #isBusy(): boolean {
    return this.#waiting.size > 0 || this.#inFlight() > 0;
  }

  /** Called after every call that has ended, one way or another. */
  #settled(): void {
    if (this.#quiet !== undefined && !this.#isBusy()) this.#quiet();
    for (const listener of this.#roomListeners) listener();
  }

  #inFlight(): number {
    let sum = 0;
    for (const member of this.#members) sum += member.inFlight;
    return sum;
  }

  #count(phase: Member['phase']): number {
    let count = 0;
    for (const member of this.#members) if (member.phase === phase) count += 1;
    return count;
  }

  // ------------------------------------------------------------ failures

  #refusal(signal: AbortSignal): HandlerFailure | undefined {
    if (this.#phase !== 'open') return this.#unavailable('takes no more calls: it is being stopped');
    if (signal.aborted) return new HandlerFailure(`${this.#workload.name}: given up before it was called`);
    if (this.#waiting.size >= MAX_WAITING) {
      return this.#unavailable(`has ${MAX_WAITING} calls waiting already: raise maxScale or concurrency`);
    }
    const isHopeless = this.#startFault !== undefined && this.#backoff.waitMs() > 0 && !this.#mayServe();
    return isHopeless ? this.#cannotStart() : undefined;
  }

  #mayServe(): boolean {
    return this.#count('ready') + this.#count('starting') > 0;
  }

  #unavailable(why: string): HandlerFailure {
    return new HandlerFailure(`${this.#workload.name} ${why}`, { status: 503, retryAfterMs: RETRY_AFTER_MS });
  }

  #cannotStart(): HandlerFailure {
    return new HandlerFailure(`${this.#workload.name} cannot start: ${this.#startFault}`, {
      retryAfterMs: this.#backoff.waitMs() || undefined,
    });
  }

  #failed(fault: string): void {
    this.#lastFault = fault;
    this.#backoff.failed();
  }

  // ------------------------------------------------------------ instances

  /** Gives out what can be given out, and begins instances for what cannot. Called after every change. */
  #scale(): void {
    while (this.#waiting.size > 0) {
      const member = this.#withRoom();
      if (member === undefined) break;
      const turn = this.#waiting.next()!;
      turn.resolve(member.enter(turn.signal, this.#workload.timeoutMs, this.#clock, (slot) => this.#ended(slot)));
    }
    while (this.#wantsMore() && this.#members.size < this.#mostInstances) {
      const wait = this.#backoff.waitMs();
      if (wait > 0) return this.#scaleLater(wait);
      if (!this.#begin()) return;
    }
  }

  #scaleLater(wait: number): void {
    this.#cancelLater();
    this.#cancelLater = this.#clock.after(wait, () => this.#scale());
  }

  #withRoom(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (member.phase !== 'ready' || member.inFlight >= this.#callsEach) continue;
      if (best === undefined || member.inFlight < best.inFlight) best = member;
    }
    return best;
  }

  #wantsMore(): boolean {
    if (this.#phase === 'closed') return false;
    const starting = this.#count('starting');
    if (this.#waiting.size > 0 && (starting === 0 || this.#waiting.size > starting * this.#callsEach)) return true;
    return this.#phase === 'open' && starting + this.#count('ready') < this.#workload.scaling.minScale;
  }

  /** Begins one more instance. False when not even that was possible. */
  #begin(): boolean {
    try {
      const instance = this.#runtime.start(this.#workload, this.#log);
      const member = new Member(instance, eventHandler(instance, this.#workload, this.#mask));
      this.#members.add(member);
      void this.#follow(member);
      return true;
    } catch (error) {
      this.#startFailed(error);
      return false;
    }
  }

  /** The life of an instance, as its function takes it. */
  async #follow(member: Member): Promise<void> {
    const { instance } = member;
    try {
      await instance.ready;
      if (member.phase === 'starting') this.#came(member);
    } catch (error) {
      const wasWanted = member.phase === 'starting';
      member.phase = 'leaving';
      if (wasWanted) this.#startFailed(error);
    }
    const how = await instance.ended;
    this.#members.delete(member);
    if (member.phase === 'ready') this.#failed(`it ${how}`);
    member.phase = 'leaving';
    this.#scale();
  }

  #came(member: Member): void {
    member.phase = 'ready';
    this.#startFault = undefined;
    this.#scale();
  }

  #startFailed(error: unknown): void {
    this.#startFault = error instanceof Error ? error.message : String(error);
    this.#failed(this.#startFault);
    if (!this.#mayServe()) this.#waiting.rejectAll(this.#cannotStart());
    this.#settled();
    this.#scale();
  }

  // ------------------------------------------------------------ calls

  #deadline(): Record<string, string> {
    return { 'x-millrace-deadline': String(this.#clock.now() + this.#workload.timeoutMs) };
  }

  /** `use` gets a slot at an instance; what did not reach the code gets another one, before those that came after it. */
  async #withSlot<T>(
    signal: AbortSignal,
    use: (slot: Slot) => Promise<T>,
    held: (value: T, slot: Slot) => void = (_value, slot) => slot.end(),
  ): Promise<T> {
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) throw refusal;
    for (let at: 'end' | 'front' = 'end'; ; at = 'front') {
      const turn = this.#waiting.wait(signal, at);
      this.#scale();
      const slot = await turn;
      try {
        const value = await use(slot);
        this.#backoff.succeeded();
        held(value, slot);
        return value;
      } catch (error) {
        const mayGoElsewhere = error instanceof NotTaken && this.#phase !== 'closed' && !signal.aborted;
        if (mayGoElsewhere) this.#refused(slot.member);
        slot.end();
        if (!mayGoElsewhere) throw this.#failureOf(error);
      }
    }
  }

  /** An instance did not take a call: it gets no other. */
  #refused(member: Member): void {
    if (member.phase === 'ready') this.#failed('it refused the connection');
    member.phase = 'leaving';
  }

  #ended({ member, wasAbandoned }: Slot): void {
    // The code may still be at work on a call that was given up: only the end of the instance surely ends that. Where
    // the author sets no limit, nothing is exceeded by what a caller left behind.
    if (wasAbandoned === 'timed out' || (wasAbandoned === 'caller left' && this.#callsEach !== Infinity)) {
      member.phase = 'leaving';
    }
    if (member.phase === 'leaving' && member.inFlight === 0) void member.instance.kill();
    this.#scale();
    this.#settled();
  }

  #failureOf(error: unknown): HandlerFailure {
    const failure =
      error instanceof HandlerFailure
        ? error
        : new HandlerFailure(`${this.#workload.name}: ${String(error)}`, { cause: error });
    // It answered, if only to refuse: the instance is well.
    if (failure.status !== undefined) this.#backoff.succeeded();
    return failure;
  }
}
