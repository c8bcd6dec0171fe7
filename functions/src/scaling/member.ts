import type { Handler } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';

import type { Clock } from '../clock.ts';
import type { Instance } from '../runtime/runtime.ts';

/** An instance as its function sees it: one of several, with the calls that it has. */
export class Member {
  readonly instance: Instance;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** The instance as one who takes events. */
  readonly handler: Handler;
  /** Only a `ready` one is given calls; a `paused` one is not until its probe succeeds; a `leaving` one ends with its last call. */
  phase: 'starting' | 'ready' | 'paused' | 'leaving' = 'starting';
  readonly #slots = new Set<Slot>();

  constructor(instance: Instance, handler: Handler, begunAt: number) {
    this.begunAt = begunAt;
    this.instance = instance;
    this.handler = handler;
  }

  /** How many calls it has. */
  get inFlight(): number {
    return this.#slots.size;
  }

  /** Takes a call in, for at most `timeoutMs`; `ended` is told once when it is over. */
  enter(caller: AbortSignal, timeoutMs: number, clock: Clock, ended: (slot: Slot) => void): Slot {
    const slot = new Slot({
      member: this,
      caller,
      timeoutMs,
      clock,
      ended: (it) => {
        this.#slots.delete(it);
        ended(it);
      },
    });
    this.#slots.add(slot);
    return slot;
  }

  /** Gives up every call that it has, for this reason. */
  abandon(reason: HandlerFailure): void {
    for (const slot of this.#slots) slot.abandon(reason);
  }
}

/** One call's place at an instance, from when it is given until its answer has ended. */
export class Slot {
  readonly member: Member;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #cancelTimer: () => void;
  readonly #ended: (slot: Slot) => void;
  #isOver = false;
  /** Whether the code may still be at work on it although nobody waits any more. */
  #isTimedOut = false;

  constructor(options: {
    member: Member;
    caller: AbortSignal;
    timeoutMs: number;
    clock: Clock;
    ended: (slot: Slot) => void;
  }) {
    const { member, caller, timeoutMs, clock, ended } = options;
    this.member = member;
    this.#caller = caller;
    this.#ended = ended;
    caller.addEventListener('abort', this.#callerLeft);
    if (caller.aborted) this.#callerLeft();
    this.#cancelTimer = clock.after(timeoutMs, () => {
      this.#isTimedOut = true;
      this.abandon(new HandlerFailure(`timed out after ${timeoutMs} ms`));
    });
  }

  /** Aborts when the caller leaves, when its time is over, and when the function is closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the instance can take nothing more after this call: the code may still be at work on it. */
  get wasAbandoned(): 'timed out' | 'caller left' | undefined {
    if (!this.signal.aborted) return undefined;
    return this.#isTimedOut ? 'timed out' : 'caller left';
  }

  /** Gives the call up, for this reason. */
  abandon(reason: HandlerFailure): void {
    this.#controller.abort(reason);
  }

  /** Its answer has ended, or there is none. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#caller.removeEventListener('abort', this.#callerLeft);
    this.#ended(this);
  }

  readonly #callerLeft = (): void => this.#controller.abort(this.#caller.reason);
}
