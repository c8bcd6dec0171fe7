import { HandlerFailure } from '@millrace/event/handler';

import type { RunningFunction } from './running-function.ts';

/** A function that cannot be run at all, for this reason (one CamelCase word) and with these words for people. */
export function unavailable(reason: string, message: string): RunningFunction {
  const refuse = (): Promise<never> => Promise.reject(new HandlerFailure(message, { status: 503 }));
  return {
    handler: refuse,
    request: refuse,
    room: () => Infinity,
    onRoom: () => () => {},
    warm() {},
    status: () => ({ instances: 0, inFlight: 0, waiting: 0, state: 'unavailable', reason, message, notes: [] }),
    async drain() {},
  };
}
