import type { CloudEvent } from '@millrace/event/event';

import type { Environment } from '../environment.ts';

/** Who waits for an event, by a key that nobody else has. A port: with several replicas the reply may come to another. */
export interface WaitingTable {
  /**
   * Resolves with the event that is given for the key; undefined when so many milliseconds have passed, or the signal
   * aborts. Never rejects. Whoever waits is found from the moment of the call on, and not after the end.
   */
  wait(key: string, timeoutMs: number, signal: AbortSignal): Promise<CloudEvent | undefined>;
  /** Gives the event to whoever waits with the key. False when nobody does (any more). */
  answer(key: string, event: CloudEvent): boolean;
  /** How many wait in this process. */
  readonly size: number;
}

/** The table of one process. */
export function openWaitingTable({ after }: Pick<Environment, 'after'>): WaitingTable {
  const waiting = new Map<string, (event: CloudEvent | undefined) => void>();
  return {
    get size() {
      return waiting.size;
    },
    wait(key, timeoutMs, signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const giveUp = () => end(undefined);
        const end = (event: CloudEvent | undefined) => {
          waiting.delete(key);
          signal.removeEventListener('abort', giveUp);
          cancel();
          resolve(event);
        };
        const cancel = after(timeoutMs, giveUp);
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.set(key, end);
      });
    },
    answer(key, event) {
      const end = waiting.get(key);
      end?.(event);
      return end !== undefined;
    },
  };
}
