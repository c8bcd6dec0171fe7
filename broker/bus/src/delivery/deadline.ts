import { HandlerFailure } from '@millrace/event/handler';
import type { HandlerContext, Headers } from '@millrace/event/handler';

import type { Environment } from '../environment.ts';

/**
 * The context of one attempt, whose time is limited. Its signal is made when somebody asks for it: a million attempts
 * need a million timers, but hardly any of them an event target.
 */
export class AttemptDeadline implements HandlerContext {
  readonly headers: Headers;
  readonly attempt: number;
  readonly #cancel: () => void;
  #controller: AbortController | undefined;
  #call: ((reason: Error) => void) | undefined;
  #reason: Error | undefined;

  constructor(options: { headers: Headers; attempt: number; timeoutMs: number; environment: Environment }) {
    this.headers = options.headers;
    this.attempt = options.attempt;
    const { timeoutMs } = options;
    this.#cancel = options.environment.after(timeoutMs, () =>
      this.abort(new HandlerFailure(`no answer within ${timeoutMs} ms`)),
    );
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  onAbort(call: (reason: Error) => void): void {
    this.#call = call;
    if (this.#reason !== undefined) call(this.#reason);
  }

  /** The attempt is over in time. */
  cancel(): void {
    this.#cancel();
  }

  /** Nobody waits for the attempt any more, for this reason. The first reason counts. */
  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#call?.(reason);
    this.#controller?.abort(reason);
  }
}
