import type { Handler, HandlerContext } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';

import { makeBackoff } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import type { FunctionLog } from './function-log.ts';
import { Member } from './member.ts';
import type { FunctionStatus, RunningFunction } from './running-function.ts';
import { NotTaken } from './runtime/runtime.ts';
import type { Instance, Runtime } from './runtime/runtime.ts';
import { makeWaitingCalls } from './waiting-calls.ts';
import type { Call } from './waiting-calls.ts';
import type { Workload } from './workload.ts';

/** How many instances where the author sets no bound. */
const MAX_INSTANCES = 10;
/** How many calls at once one instance gets where the author sets no bound. */
const MAX_CALLS = 100;
/** How many calls may wait; Knative's activator holds as many. */
const MAX_WAITING = 10_000;
/** When a call that finds no room may come again. */
const RETRY_AFTER_MS = 1_000;

/**
 * Decides how many instances of a function there are and which one gets a call:
 *
 *   call ─▶ waiting ─▶ the oldest ready instance with room ─▶ answer
 *              └─ none has room: begin one more, up to maxScale
 *
 * The oldest first, so that with less to do the youngest have nothing to do, and go.
 */
export class ScaledFunction implements RunningFunction {
  readonly #workload: Workload;
  readonly #runtime: Runtime;
  readonly #log: (line: FunctionLog) => void;
  readonly #now: () => number;
  readonly #backoff: Backoff;
  readonly #callsEach: number;
  readonly #mostInstances: number;
  readonly #members = new Set<Member>();
  readonly #waiting = makeWaitingCalls(() => this.#settled());
  /** Why the last instance could not start; until one can, calls need not wait to hear it. */
  #startFault: string | undefined;
  #lastFault = '';
  #later: NodeJS.Timeout | undefined;
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #drained: Promise<void> | undefined;
  #quiet: (() => void) | undefined;

  constructor(workload: Workload, runtime: Runtime, log: (line: FunctionLog) => void, now: () => number) {
    this.#workload = workload;
    this.#runtime = runtime;
    this.#log = log;
    this.#now = now;
    this.#backoff = makeBackoff(now);
    this.#callsEach = workload.concurrency || MAX_CALLS;
    this.#mostInstances = Math.max(workload.maxScale || MAX_INSTANCES, workload.minScale, 1);
    this.#scale();
  }

  readonly handler: Handler = (event, context) => {
    const refusal = this.#refusal(context);
    if (refusal !== undefined) return Promise.reject(refusal);
    const answer = this.#waiting.wait(event, context);
    this.#scale();
    return answer;
  };

  status(): FunctionStatus {
    const instances = this.#members.size;
    const inFlight = [...this.#members].reduce((sum, member) => sum + member.inFlight, 0);
    if (this.#count('ready') > 0) return { instances, inFlight, state: 'running', message: '' };
    if (this.#backoff.failures > 0) return { instances, inFlight, state: 'failing', message: this.#lastFault };
    return { instances, inFlight, state: this.#count('starting') > 0 ? 'starting' : 'idle', message: '' };
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything now; the calls that it has are rejected. Resolves when no instance is left. Idempotent. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    clearTimeout(this.#later);
    const failure = this.#unavailable('is being closed');
    this.#waiting.rejectAll(failure);
    for (const member of this.#members) member.abandon(failure);
    await this.#endAll((instance) => instance.kill());
    this.#settled();
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'draining';
    if (this.#isBusy()) await new Promise<void>((resolve) => (this.#quiet = resolve));
    clearTimeout(this.#later);
    await this.#endAll((instance) => instance.stop());
  }

  async #endAll(end: (instance: Instance) => Promise<void>): Promise<void> {
    const members = [...this.#members];
    for (const member of members) member.leave();
    await Promise.all(members.map((member) => end(member.instance)));
  }

  #isBusy(): boolean {
    return this.#waiting.size > 0 || [...this.#members].some((member) => member.inFlight > 0);
  }

  /** Called after every call that has ended, one way or another. */
  #settled(): void {
    if (this.#quiet !== undefined && !this.#isBusy()) this.#quiet();
  }

  #count(phase: Member['phase']): number {
    return [...this.#members].filter((member) => member.phase === phase).length;
  }

  // ------------------------------------------------------------ failures

  #refusal(context: HandlerContext): HandlerFailure | undefined {
    if (this.#phase !== 'open') return this.#unavailable('takes no more calls: it is being stopped');
    if (context.signal.aborted) return new HandlerFailure(`${this.#workload.name}: given up before it was called`);
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
      void this.#give(this.#waiting.next()!, member);
    }
    while (this.#wantsMore() && this.#members.size < this.#mostInstances) {
      const wait = this.#backoff.waitMs();
      if (wait > 0) return this.#scaleLater(wait);
      if (!this.#begin()) return;
    }
  }

  #scaleLater(wait: number): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#scale(), wait);
  }

  #withRoom(): Member | undefined {
    for (const member of this.#members) {
      if (member.phase === 'ready' && member.inFlight < this.#callsEach) return member;
    }
    return undefined;
  }

  #wantsMore(): boolean {
    if (this.#phase === 'closed') return false;
    const starting = this.#count('starting');
    if (this.#waiting.size > starting * this.#callsEach) return true;
    return this.#phase === 'open' && starting + this.#count('ready') < this.#workload.minScale;
  }

  /** Begins one more instance. False when not even that was possible. */
  #begin(): boolean {
    try {
      const member = new Member(this.#runtime.start(this.#workload, this.#log));
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
      member.leave();
      if (wasWanted) this.#startFailed(error);
    }
    const how = await instance.ended;
    this.#members.delete(member);
    if (member.phase === 'ready') this.#failed(`it ${how}`);
    member.leave();
    this.#scale();
  }

  #came(member: Member): void {
    member.phase = 'ready';
    this.#startFault = undefined;
    this.#rest(member);
    this.#scale();
  }

  #startFailed(error: unknown): void {
    this.#startFault = error instanceof Error ? error.message : String(error);
    this.#failed(this.#startFault);
    if (!this.#mayServe()) this.#waiting.rejectAll(this.#cannotStart());
    this.#settled();
    this.#scale();
  }

  /** A member may have nothing to do. */
  #rest(member: Member): void {
    const { idleMs, minScale } = this.#workload;
    member.rest(idleMs, () => this.#count('starting') + this.#count('ready') > minScale);
  }

  // ------------------------------------------------------------ calls

  async #give(call: Call, member: Member): Promise<void> {
    const { timeoutMs } = this.#workload;
    const { signal, attempt } = call.context;
    const headers = { ...call.context.headers, 'x-millrace-deadline': String(this.#now() + timeoutMs) };
    try {
      call.resolve(await member.call(call.event, { signal, attempt, headers }, timeoutMs));
      this.#backoff.succeeded();
    } catch (error) {
      if (error instanceof NotTaken && this.#phase !== 'closed' && !signal.aborted) this.#giveAgain(call, member);
      else call.reject(this.#failureOf(error));
    } finally {
      this.#rest(member);
      this.#settled();
      this.#scale();
    }
  }

  /** It did not get as far as the code: the call goes to another instance, before those that came after it. */
  #giveAgain(call: Call, member: Member): void {
    if (member.phase === 'ready') this.#failed('it refused the connection');
    member.leave();
    this.#waiting.putBack(call);
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
