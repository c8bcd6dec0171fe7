import type { CloudEvent } from '@millrace/event/event';
import type { Answer, HandlerContext } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';

import type { Instance } from './runtime/runtime.ts';

/** An instance as its function sees it: one of several, with the calls that it has. */
export class Member {
  readonly instance: Instance;
  /** Only a `ready` one is given calls; a `leaving` one ends with its last call. */
  phase: 'starting' | 'ready' | 'leaving' = 'starting';
  readonly #calls = new Set<AbortController>();
  #idle: NodeJS.Timeout | undefined;

  constructor(instance: Instance) {
    this.instance = instance;
  }

  /** How many calls it has. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** One call, given up after `timeoutMs` or when its signal aborts. Rejects as the instance's handler does. */
  async call(event: CloudEvent, context: HandlerContext, timeoutMs: number): Promise<Answer> {
    clearTimeout(this.#idle);
    const { headers, attempt: number } = context;
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort(context.signal.reason);
    context.signal.addEventListener('abort', giveUp);
    const timer = setTimeout(() => {
      attempt.abort(new HandlerFailure(`timed out after ${timeoutMs} ms`));
    }, timeoutMs);
    this.#calls.add(attempt);
    try {
      return await this.instance.handler(event, { headers, attempt: number, signal: attempt.signal });
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', giveUp);
      this.#calls.delete(attempt);
      // The code may still be at work on a call that was given up: only the end of the instance surely ends that.
      if (attempt.signal.aborted) this.leave();
    }
  }

  /** Gives up every call that it has, for this reason. */
  abandon(reason: HandlerFailure): void {
    for (const call of this.#calls) call.abort(reason);
  }

  /** It gets no more calls. */
  leave(): void {
    this.phase = 'leaving';
    clearTimeout(this.#idle);
  }

  /** When it has no call: it is kept for a while, and stopped then if it may go; one that leaves ends now. */
  rest(idleMs: number, mayGo: () => boolean): void {
    if (this.#calls.size > 0) return;
    if (this.phase === 'leaving') return void this.instance.kill();
    this.#idle = setTimeout(() => {
      if (!mayGo()) return;
      this.leave();
      void this.instance.stop();
    }, idleMs);
  }
}
