import type { HandlerContext } from '@millrace/event/handler';

import type { Environment } from '../environment.ts';
import type { Entry } from '../log/log.ts';

export interface DecisionOptions {
  readonly entry: Entry;
  readonly deadlineMs: number;
  readonly context: HandlerContext;
  readonly environment: Environment;
  /** Called when the time is over. It decides, or fails. */
  readonly late: () => void;
}

/**
 * What is decided about an entry, once. Its deadline counts from the arrival of the entry: a restart does not prolong
 * it. An attempt that is called off fails the decision.
 */
export class Decision<Value> {
  readonly #made = Promise.withResolvers<Value>();
  #cancelTimer: () => void = () => {};
  #isMade = false;
  #isAborted = false;

  constructor({ entry, deadlineMs, context, environment, late }: DecisionOptions) {
    const deadline = entry.arrivedAt + deadlineMs;
    const waitOn = () => {
      const left = Math.max(0, deadline - environment.now());
      // No timer is set for longer than some weeks: then there is time left when it calls.
      this.#cancelTimer = environment.after(left, () => (environment.now() < deadline ? waitOn() : late()));
    };
    waitOn();
    const abort = (reason: unknown) => {
      this.#isAborted = true;
      this.fail(reason);
    };
    if (context.onAbort === undefined) context.signal.addEventListener('abort', () => abort(context.signal.reason));
    else context.onAbort(abort);
  }

  /** Resolves or rejects as it is decided. */
  get made(): Promise<Value> {
    return this.#made.promise;
  }

  get isMade(): boolean {
    return this.#isMade;
  }

  /** Whether nobody decided anything: the attempt was ended from outside. */
  get isAborted(): boolean {
    return this.#isAborted;
  }

  make(value: Value): void {
    this.#over();
    this.#made.resolve(value);
  }

  fail(error: unknown): void {
    this.#over();
    this.#made.reject(error);
  }

  #over(): void {
    this.#isMade = true;
    this.#cancelTimer();
  }
}
