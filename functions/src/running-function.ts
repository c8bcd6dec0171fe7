import type { CloudEvent } from '@millrace/event/event';
import type { Answer, Handler, HandlerContext } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';

import { makeBackoff } from './backoff.ts';
import type { FunctionLog } from './function-log.ts';
import { NotTaken } from './runtime/runtime.ts';
import type { Instance, Runtime } from './runtime/runtime.ts';
import type { Workload } from './workload.ts';

/** How many instances where the author sets no bound. */
const MAX_INSTANCES = 10;
/** How many calls at once one instance gets where the author sets no bound. */
const MAX_CALLS = 100;
/** How many calls may wait; Knative's activator holds as many. */
const MAX_WAITING = 10_000;
/** What a call that finds no room is told to wait. */
const RETRY_AFTER_MS = 1_000;

/** A function that takes events, and how it is. */
export interface RunningFunction {
  /** Event in, answer out; begins an instance when it needs one. Rejects with a `HandlerFailure` only. */
  readonly handler: Handler;
  status(): FunctionStatus;
  /** Takes nothing more, finishes what it has, then ends its instances. Idempotent. */
  drain(): Promise<void>;
}

/** How a function is. */
export interface FunctionStatus {
  /** Instances that are there, also those that begin or end. */
  readonly instances: number;
  /** Calls that an instance has. */
  readonly inFlight: number;
  /** `idle`: at zero, waiting for a call. `failing`: it crashed or could not start, and nothing serves now. */
  readonly state: 'idle' | 'starting' | 'running' | 'failing';
  /** Why it is failing, with the last lines that it wrote; empty otherwise. */
  readonly message: string;
}

/** A call that waits for an instance. */
interface Call {
  readonly event: CloudEvent;
  readonly context: HandlerContext;
  resolve(answer: Answer): void;
  reject(failure: HandlerFailure): void;
}

/** An instance as its function sees it. Only a `ready` one is given calls; a `leaving` one ends with its last call. */
interface Member {
  readonly instance: Instance;
  phase: 'starting' | 'ready' | 'leaving';
  /** One for each call that it has. */
  readonly calls: Set<AbortController>;
  idle: NodeJS.Timeout | undefined;
}

/**
 * Decides how many instances there are and which one gets a call:
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
  readonly #backoff;
  readonly #room: number;
  readonly #most: number;
  readonly #members = new Set<Member>();
  #waiting = new Set<Call>();
  /** Why the last instance could not start; until one can, calls need not wait to hear it. */
  #broken: string | undefined;
  #lastFault = '';
  #retry: NodeJS.Timeout | undefined;
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #drained: Promise<void> | undefined;
  #quiet: (() => void) | undefined;

  constructor(workload: Workload, runtime: Runtime, log: (line: FunctionLog) => void, now: () => number) {
    this.#workload = workload;
    this.#runtime = runtime;
    this.#log = log;
    this.#now = now;
    this.#backoff = makeBackoff(now);
    this.#room = workload.concurrency || MAX_CALLS;
    this.#most = Math.max(workload.maxScale || MAX_INSTANCES, workload.minScale, 1);
    this.#scale();
  }

  readonly handler: Handler = (event, context) =>
    new Promise((resolve, reject) => {
      const refusal = this.#refusal(context);
      if (refusal !== undefined) return reject(refusal);
      const giveUp = (): void => {
        if (!this.#waiting.delete(call)) return;
        reject(new HandlerFailure(`${this.#workload.name}: given up before an instance had room`));
        this.#settled();
      };
      const call: Call = {
        event,
        context,
        resolve(answer) {
          context.signal.removeEventListener('abort', giveUp);
          resolve(answer);
        },
        reject(failure) {
          context.signal.removeEventListener('abort', giveUp);
          reject(failure);
        },
      };
      context.signal.addEventListener('abort', giveUp);
      this.#waiting.add(call);
      this.#scale();
    });

  status(): FunctionStatus {
    const members = [...this.#members];
    const inFlight = members.reduce((sum, member) => sum + member.calls.size, 0);
    const instances = members.length;
    if (members.some((member) => member.phase === 'ready'))
      return { instances, inFlight, state: 'running', message: '' };
    if (this.#backoff.failures > 0) return { instances, inFlight, state: 'failing', message: this.#lastFault };
    const starting = members.some((member) => member.phase === 'starting');
    return { instances, inFlight, state: starting ? 'starting' : 'idle', message: '' };
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything now; the calls that it has are rejected. Resolves when no instance is left. Idempotent. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    clearTimeout(this.#retry);
    const failure = this.#unavailable('is being closed');
    for (const call of this.#waiting) call.reject(failure);
    this.#waiting.clear();
    for (const member of this.#members) for (const call of member.calls) call.abort(failure);
    await this.#endAll((instance) => instance.kill());
    this.#settled();
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'draining';
    if (this.#busy()) await new Promise<void>((resolve) => (this.#quiet = resolve));
    clearTimeout(this.#retry);
    await this.#endAll((instance) => instance.stop());
  }

  async #endAll(end: (instance: Instance) => Promise<void>): Promise<void> {
    const members = [...this.#members];
    for (const member of members) this.#leave(member);
    await Promise.all(members.map((member) => end(member.instance)));
  }

  #busy(): boolean {
    return this.#waiting.size > 0 || [...this.#members].some((member) => member.calls.size > 0);
  }

  #settled(): void {
    if (this.#quiet !== undefined && !this.#busy()) this.#quiet();
  }

  #refusal(context: HandlerContext): HandlerFailure | undefined {
    if (this.#phase !== 'open') return this.#unavailable('takes no more calls: it is being stopped');
    if (context.signal.aborted) return new HandlerFailure(`${this.#workload.name}: given up before it was called`);
    if (this.#waiting.size >= MAX_WAITING) {
      return this.#unavailable(`has ${MAX_WAITING} calls waiting already: raise maxScale or concurrency`);
    }
    const hopeless = this.#broken !== undefined && this.#backoff.waitMs() > 0 && !this.#has('ready', 'starting');
    return hopeless ? this.#cannotStart() : undefined;
  }

  #unavailable(why: string): HandlerFailure {
    return new HandlerFailure(`${this.#workload.name} ${why}`, { status: 503, retryAfterMs: RETRY_AFTER_MS });
  }

  #cannotStart(): HandlerFailure {
    const wait = this.#backoff.waitMs();
    return new HandlerFailure(`${this.#workload.name} cannot start: ${this.#broken}`, {
      retryAfterMs: wait === 0 ? undefined : wait,
    });
  }

  #has(...phases: Member['phase'][]): boolean {
    return [...this.#members].some((member) => phases.includes(member.phase));
  }

  /** Gives out what can be given out, and begins instances for what cannot. Called after every change. */
  #scale(): void {
    for (const call of this.#waiting) {
      const member = this.#withRoom();
      if (member === undefined) break;
      this.#waiting.delete(call);
      void this.#give(call, member);
    }
    while (this.#wantsMore() && this.#members.size < this.#most) {
      const wait = this.#backoff.waitMs();
      if (wait > 0) return this.#scaleLater(wait);
      if (!this.#begin()) return;
    }
  }

  #scaleLater(wait: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#scale(), wait);
  }

  #withRoom(): Member | undefined {
    for (const member of this.#members) {
      if (member.phase === 'ready' && member.calls.size < this.#room) return member;
    }
    return undefined;
  }

  #wantsMore(): boolean {
    if (this.#phase === 'closed') return false;
    let starting = 0;
    let staying = 0;
    for (const { phase } of this.#members) {
      if (phase === 'starting') starting += 1;
      if (phase !== 'leaving') staying += 1;
    }
    if (this.#waiting.size > starting * this.#room) return true;
    return this.#phase === 'open' && staying < this.#workload.minScale;
  }

  /** Begins one more instance. False when not even that was possible. */
  #begin(): boolean {
    let instance: Instance;
    try {
      instance = this.#runtime.start(this.#workload, this.#log);
    } catch (error) {
      this.#startFailed(error);
      return false;
    }
    const member: Member = { instance, phase: 'starting', calls: new Set(), idle: undefined };
    this.#members.add(member);
    void this.#follow(member);
    return true;
  }

  /** The life of an instance, as its function takes it. */
  async #follow(member: Member): Promise<void> {
    const { instance } = member;
    try {
      await instance.ready;
      if (member.phase === 'starting') this.#came(member);
    } catch (error) {
      const wasWanted = member.phase === 'starting';
      this.#leave(member);
      if (wasWanted) this.#startFailed(error);
    }
    const how = await instance.ended;
    this.#members.delete(member);
    if (member.phase === 'ready') this.#failed(`it ${how}`);
    this.#leave(member);
    this.#scale();
  }

  #came(member: Member): void {
    member.phase = 'ready';
    this.#broken = undefined;
    this.#rest(member);
    this.#scale();
  }

  #startFailed(error: unknown): void {
    this.#broken = error instanceof Error ? error.message : String(error);
    this.#failed(this.#broken);
    if (!this.#has('ready', 'starting')) {
      const failure = this.#cannotStart();
      for (const call of this.#waiting) call.reject(failure);
      this.#waiting.clear();
    }
    this.#settled();
    this.#scale();
  }

  #failed(fault: string): void {
    this.#lastFault = fault;
    this.#backoff.failed();
  }

  async #give(call: Call, member: Member): Promise<void> {
    clearTimeout(member.idle);
    const { timeoutMs, name } = this.#workload;
    const attempt = new AbortController();
    member.calls.add(attempt);
    const giveUp = (): void => attempt.abort(call.context.signal.reason);
    call.context.signal.addEventListener('abort', giveUp);
    const timer = setTimeout(() => {
      attempt.abort(new HandlerFailure(`${name} timed out after ${timeoutMs} ms`));
    }, timeoutMs);
    const deadline = { 'x-millrace-deadline': String(this.#now() + timeoutMs) };
    const headers = { ...call.context.headers, ...deadline };
    try {
      const answer = await member.instance.handler(call.event, { ...call.context, headers, signal: attempt.signal });
      this.#backoff.succeeded();
      call.resolve(answer);
    } catch (error) {
      if (error instanceof NotTaken && !attempt.signal.aborted) this.#giveAgain(call, member);
      else call.reject(this.#failureOf(error));
    } finally {
      clearTimeout(timer);
      call.context.signal.removeEventListener('abort', giveUp);
      member.calls.delete(attempt);
      // The code may still be at work on a call that was given up: only the end of its process surely ends it.
      if (attempt.signal.aborted) this.#leave(member);
      this.#rest(member);
      this.#settled();
      this.#scale();
    }
  }

  /** It did not get as far as the code: the call waits for another instance, before those that came after it. */
  #giveAgain(call: Call, member: Member): void {
    if (member.phase === 'ready') this.#failed('it refused the connection');
    this.#leave(member);
    this.#waiting = new Set([call, ...this.#waiting]);
  }

  #failureOf(error: unknown): HandlerFailure {
    if (!(error instanceof HandlerFailure))
      return new HandlerFailure(`${this.#workload.name}: ${String(error)}`, { cause: error });
    // It answered, if only to refuse: the instance is well.
    if (error.status !== undefined) this.#backoff.succeeded();
    return error;
  }

  #leave(member: Member): void {
    member.phase = 'leaving';
    clearTimeout(member.idle);
  }

  /** After the last call of an instance: wait for the next one for a while, or go. */
  #rest(member: Member): void {
    if (member.calls.size > 0) return;
    if (member.phase === 'leaving') return void member.instance.kill();
    member.idle = setTimeout(() => {
      const staying = [...this.#members].filter((other) => other.phase !== 'leaving').length;
      if (staying <= this.#workload.minScale) return;
      this.#leave(member);
      void member.instance.stop();
    }, this.#workload.idleMs);
  }
}
