import type { CloudEvent } from '@millrace/event/event';
import type { Answer, HandlerContext } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';

/** A call on its way to an instance. It is answered or rejected once. */
export interface Call {
  readonly event: CloudEvent;
  readonly context: HandlerContext;
  resolve(answer: Answer): void;
  reject(failure: HandlerFailure): void;
}

/** The calls that wait for an instance, in the order in which they came. A call whose signal aborts goes by itself. */
export interface WaitingCalls {
  readonly size: number;
  /** Adds a call at the end; resolves and rejects as the call does. */
  wait(event: CloudEvent, context: HandlerContext): Promise<Answer>;
  /** Puts a call that was taken out back, before all others. */
  putBack(call: Call): void;
  /** Takes the first one out. */
  next(): Call | undefined;
  rejectAll(failure: HandlerFailure): void;
}

/** An empty queue; `gaveUp` is told after a call has gone by itself. */
export function makeWaitingCalls(gaveUp: () => void): WaitingCalls {
  // A set keeps the order, and lets go of any of its members at once.
  let calls = new Set<Call>();
  return {
    get size() {
      return calls.size;
    },
    async wait(event, context) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const call: Call = { event, context, resolve, reject };
      const giveUp = (): void => {
        if (!calls.delete(call)) return;
        reject(new HandlerFailure('was given up before an instance had room for it'));
        gaveUp();
      };
      calls.add(call);
      context.signal.addEventListener('abort', giveUp);
      try {
        return await promise;
      } finally {
        context.signal.removeEventListener('abort', giveUp);
      }
    },
    putBack(call) {
      calls = new Set([call, ...calls]);
    },
    next() {
      const call = calls.values().next().value;
      if (call !== undefined) calls.delete(call);
      return call;
    },
    rejectAll(failure) {
      for (const call of calls) call.reject(failure);
      calls.clear();
    },
  };
}
